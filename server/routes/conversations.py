"""Conversations of the caller: list, search, open, rename, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server.deps import Key, Who
from server.schemas.account import ConversationDetail, ConversationForm, ConversationItem
from store.errors import Unavailable

router = APIRouter(prefix="/api/conversations", tags=["conversations"])


@router.get("")
def list_conversations(
    who: Who,
    search: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[ConversationItem]:
    """The caller's conversations, latest first; ``search`` looks in titles and turns."""
    raise Unavailable("the server is starting")


@router.get("/{conversation_id}")
def get_conversation(conversation_id: Key, who: Who) -> ConversationDetail:
    """A conversation with its turns, their sources and ratings."""
    raise Unavailable("the server is starting")


@router.patch("/{conversation_id}")
def rename_conversation(conversation_id: Key, form: ConversationForm, who: Who) -> ConversationItem:
    """Rename a conversation."""
    raise Unavailable("the server is starting")


@router.delete("/{conversation_id}", status_code=204)
def delete_conversation(conversation_id: Key, who: Who) -> None:
    """Delete a conversation. Ratings of its answers stay."""
    raise Unavailable("the server is starting")
