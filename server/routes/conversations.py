"""Conversations of the caller: list, search, open, rename, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server import views
from server.deps import Asker, Key, State
from server.schemas.account import ConversationDetail, ConversationForm, ConversationItem
from server.schemas.rating import ConversationTurn
from store import chunks, conversations, impressions, signals

router = APIRouter(prefix="/api/conversations", tags=["conversations"])


@router.get("")
def list_conversations(
    asker: Asker,
    state: State,
    search: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[ConversationItem]:
    """The caller's conversations, latest first; ``search`` looks in titles and questions."""
    with state.db.read() as tx:
        found = conversations.list_for(tx, asker.actor, search, limit)
    return [ConversationItem.model_validate(conversation) for conversation in found]


@router.get("/{conversation_id}")
def get_conversation(conversation_id: Key, asker: Asker, state: State) -> ConversationDetail:
    """A conversation with its turns, their sources and ratings."""
    turns: list[ConversationTurn] = []
    with state.db.read() as tx:
        conversation = conversations.get(tx, conversation_id, asker.actor)
        ids = [turn.answer_id for turn in conversations.turns(tx, conversation_id)]
        shown = impressions.for_answers(tx, ids)
        known = chunks.get(tx, {row.chunk_id for one in shown.values() for row in one.rows if row.shown})
        for answer_id in ids:
            record = impressions.get_answer(tx, answer_id)
            turns.append(
                ConversationTurn(
                    question=record.question,
                    answer=record.answer,
                    answer_id=answer_id,
                    sources=views.stored_sources(shown[answer_id], known) if answer_id in shown else [],
                    citations=list(record.citations),
                    model_version=record.model_version,
                    generator=record.generator,
                    created_at=record.created_at,
                    rating=views.rating(signals.in_force(tx, answer_id, asker.actor)),
                )
            )
    return ConversationDetail(**ConversationItem.model_validate(conversation).model_dump(), turns=turns)


@router.patch("/{conversation_id}")
def rename_conversation(conversation_id: Key, form: ConversationForm, asker: Asker, state: State) -> ConversationItem:
    """Rename a conversation."""
    with state.db.write() as tx:
        conversations.rename(tx, conversation_id, asker.actor, form.title, state.clock())
        return ConversationItem.model_validate(conversations.get(tx, conversation_id, asker.actor))


@router.delete("/{conversation_id}", status_code=204)
def delete_conversation(conversation_id: Key, asker: Asker, state: State) -> None:
    """Delete a conversation. Ratings of its answers stay."""
    with state.db.write() as tx:
        conversations.delete(tx, conversation_id, asker.actor, state.clock())
