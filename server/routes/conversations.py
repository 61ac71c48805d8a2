"""Conversations of the caller: list, search, open, rename, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server import views
from server.deps import Key, Reader, State, Visitor
from server.schemas.account import ConversationDetail, ConversationForm, ConversationItem
from server.schemas.common import NO_NUL
from server.schemas.rating import ConversationTurn
from store import chunks, conversations, impressions, signals, visibility
from store.conversations import Conversation

router = APIRouter(prefix="/api/conversations", tags=["conversations"])
NOT_FOR_YOU = "*This answer quoted a repository that you can't see any more.*"


@router.get("")
def list_conversations(
    reader: Reader,
    state: State,
    search: Annotated[str | None, Query(max_length=200, json_schema_extra={**NO_NUL})] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[ConversationItem]:
    """The caller's conversations, latest first; ``search`` looks in titles and questions."""
    with state.db.read() as tx:
        found = conversations.list_for(tx, reader.actor, search, limit, reader.hidden)
    return [_item(conversation, reader) for conversation in found]


@router.get("/{conversation_id}")
def get_conversation(conversation_id: Key, reader: Reader, state: State) -> ConversationDetail:
    """A conversation with its turns, their sources and ratings."""
    turns: list[ConversationTurn] = []
    with state.db.read() as tx:
        conversation = conversations.get(tx, conversation_id, reader.actor)
        ids = [turn.answer_id for turn in conversations.turns(tx, conversation_id)]
        shown = impressions.for_answers(tx, ids)
        known = chunks.get(tx, {row.chunk_id for one in shown.values() for row in one.rows if row.shown})
        gone = visibility.hidden_answers(tx, ids, reader.hidden)
        for answer_id in ids:
            record = impressions.get_answer(tx, answer_id)
            turns.append(
                ConversationTurn(
                    question=record.question,
                    query=record.query,
                    answer=NOT_FOR_YOU if answer_id in gone else record.answer,
                    answer_id=answer_id,
                    sources=views.stored_sources(shown[answer_id], known)
                    if answer_id in shown and answer_id not in gone
                    else [],
                    citations=[] if answer_id in gone else list(record.citations),
                    model_version=record.model_version,
                    generator=record.generator,
                    created_at=record.created_at,
                    rating=views.rating(signals.in_force(tx, answer_id, reader.actor)),
                )
            )
    return ConversationDetail(**_item(conversation, reader).model_dump(), turns=turns)


@router.patch("/{conversation_id}")
def rename_conversation(conversation_id: Key, form: ConversationForm, reader: Reader, state: State) -> ConversationItem:
    """Rename a conversation."""
    with state.db.write() as tx:
        conversations.rename(tx, conversation_id, reader.actor, form.title, state.clock())
        return _item(conversations.get(tx, conversation_id, reader.actor), reader)


@router.delete("/{conversation_id}", status_code=204)
def delete_conversation(conversation_id: Key, reader: Reader, state: State) -> None:
    """Delete a conversation. Ratings of its answers stay."""
    with state.db.write() as tx:
        conversations.delete(tx, conversation_id, reader.actor, state.clock())


def _item(conversation: Conversation, reader: Visitor) -> ConversationItem:
    item = ConversationItem.model_validate(conversation)
    return item.model_copy(update={"repo": None}) if item.repo in reader.hidden else item
