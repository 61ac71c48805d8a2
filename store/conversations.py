"""Conversations of one actor each. Deleting hides a conversation; the ratings of its answers stay."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, insert, or_, select, update
from sqlalchemy.engine import Connection, Row

from store import visibility
from store.checks import clean
from store.errors import Conflict, InvalidInput, NotFound
from store.tables import answers, conversations

TITLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Conversation:
    id: str
    actor: str
    title: str
    repo: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    question: str
    answer: str
    answer_id: str


def create(tx: Connection, id: str, actor: str, title: str, repo: str | None, now: datetime) -> Conversation:
    """Begin a conversation. Raises InvalidInput for an unusable title, Conflict for an id that exists."""
    if tx.execute(select(conversations.c.id).where(conversations.c.id == id)).scalar() is not None:
        raise Conflict(f"conversation {id!r} exists already")
    values = {"id": id, "actor": clean(actor, "the actor"), "title": _title(title), "repo": repo}
    tx.execute(insert(conversations).values(**values, created_at=now, updated_at=now))
    return get(tx, id, actor)


def get(tx: Connection, id: str, actor: str) -> Conversation:
    """A conversation of ``actor``. Raises NotFound, for someone else's too."""
    mine = (conversations.c.id == id) & (conversations.c.actor == actor) & conversations.c.deleted_at.is_(None)
    row = tx.execute(select(conversations).where(mine)).one_or_none()
    if row is None:
        raise NotFound(f"no conversation {id!r}")
    return _conversation(row)


def list_for(
    tx: Connection, actor: str, search: str | None, limit: int, hidden: Collection[str] = frozenset()
) -> list[Conversation]:
    """The conversations of ``actor``, last used first; ``search`` must occur in the title, a question or an answer.

    Answers that come from ``hidden`` repositories are not searched.
    """
    query = select(conversations).where(conversations.c.actor == actor, conversations.c.deleted_at.is_(None))
    if search is not None and clean(search, "the search").strip():
        words = search.strip()
        said = answers.c.answer.icontains(words, autoescape=True)
        if hidden:
            mine = select(answers.c.id).join(conversations).where(conversations.c.actor == actor, said)
            said &= answers.c.id.not_in(visibility.hidden_answers(tx, tx.execute(mine).scalars().all(), hidden))
        turn = exists().where(
            answers.c.conversation_id == conversations.c.id,
            or_(answers.c.question.icontains(words, autoescape=True), said),
        )
        query = query.where(or_(conversations.c.title.icontains(words, autoescape=True), turn))
    rows = tx.execute(query.order_by(conversations.c.updated_at.desc(), conversations.c.id).limit(limit))
    return [_conversation(row) for row in rows]


def rename(tx: Connection, id: str, actor: str, title: str, now: datetime) -> Conversation:
    """Give a conversation another title. Raises NotFound, InvalidInput."""
    get(tx, id, actor)
    tx.execute(update(conversations).where(conversations.c.id == id).values(title=_title(title), updated_at=now))
    return get(tx, id, actor)


def delete(tx: Connection, id: str, actor: str, now: datetime) -> None:
    """Hide a conversation. Raises NotFound."""
    get(tx, id, actor)
    tx.execute(update(conversations).where(conversations.c.id == id).values(deleted_at=now))


def turns(tx: Connection, id: str) -> list[Turn]:
    """The questions and answers of a conversation, oldest first."""
    asked = select(answers.c.question, answers.c.answer, answers.c.id).where(answers.c.conversation_id == id)
    rows = tx.execute(asked.order_by(answers.c.created_at, answers.c.id))
    return [Turn(row.question, row.answer, row.id) for row in rows]


def _title(title: str) -> str:
    line = " ".join(clean(title, "the title").split())[:TITLE_CHARACTERS]
    if not line:
        raise InvalidInput("a conversation needs a title")
    return line


def _conversation(row: Row[*tuple[Any, ...]]) -> Conversation:
    return Conversation(row.id, row.actor, row.title, row.repo, row.created_at, row.updated_at)
