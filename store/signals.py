"""Signals: what people did with an answer. Append-only; the latest row of a target is in force.

A target is (answer, actor, kind, chunk), except that an actor has one correction an answer:
naming another chunk replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, select
from sqlalchemy.engine import Connection, Row

from store.checks import clean
from store.errors import InvalidInput, NotFound
from store.tables import answers, chunks, impressions, signals
from store.types import Signal, SignalKind

EVENTS = frozenset({SignalKind.CLICK, SignalKind.COPY, SignalKind.OPEN})
ABOUT_CANDIDATES = EVENTS | {SignalKind.CHUNK_VOTE}
ABOUT_CHUNKS = ABOUT_CANDIDATES | {SignalKind.CORRECTION}
THUMBS = ("up", "down")
NOTE_CHARACTERS = 4_000
REASON_CHARACTERS = 200
REASONS = 20
ACTOR_CHARACTERS = 200
CLIENT_CHARACTERS = 64


class Contradiction(InvalidInput):
    """Thumb and stars that can't both be meant."""


def put(
    tx: Connection,
    answer_id: str,
    actor: str,
    kind: SignalKind,
    chunk_id: int | None,
    value: Any,
    now: datetime,
    client: str = "",
) -> bool:
    """Append a signal if it changes what is in force; False when it doesn't. ``value`` None retracts.

    Values: thumb ``"up"`` or ``"down"``, stars 1 to 5, reasons a list of texts, note a text, chunk vote a bool;
    correction and events ``True``. Raises InvalidInput for another value, and NotFound for an unknown answer,
    an unknown chunk, or a vote or event on a chunk that was no candidate of the answer.
    """
    clean(actor, "the actor", ACTOR_CHARACTERS)
    checked = None if value is None else _value(kind, value)
    if kind is SignalKind.CORRECTION and chunk_id is None and checked is not None:
        raise InvalidInput("a correction needs the chunk that would have been right")
    _check_target(tx, answer_id, kind, chunk_id)
    before = _latest(tx, answer_id, actor, kind, chunk_id)
    if before is None:
        unchanged = checked is None
    else:
        moved = checked is not None and before.chunk_id != chunk_id
        unchanged = not moved and _same(before.value, checked)
    if unchanged:
        return False
    tx.execute(
        insert(signals).values(
            answer_id=answer_id,
            actor=actor,
            kind=str(kind),
            chunk_id=chunk_id,
            value=checked,
            client=clean(client, "the client's name")[:CLIENT_CHARACTERS],
            created_at=now,
        )
    )
    return True


def said_since(tx: Connection, signal: Signal) -> bool:
    """Has its actor spoken of the same target then or later? An imported ``signal`` has nothing to add in that case."""
    last = _latest(tx, signal.answer_id, signal.actor, signal.kind, signal.chunk_id)
    return last is not None and last.created_at >= signal.created_at


def in_force(
    tx: Connection, answer_id: str | None = None, actor: str | None = None, without: Iterable[int] = ()
) -> list[Signal]:
    """The signals that hold now, oldest first: the latest of each target, without retractions.

    ``without``: signals that are taken as if they had never been, so that what they replaced holds again.
    """
    last = select(func.max(signals.c.id)).group_by(
        signals.c.answer_id, signals.c.actor, signals.c.kind, _target_chunk(signals.c.kind, signals.c.chunk_id)
    )
    if answer_id is not None:
        last = last.where(signals.c.answer_id == answer_id)
    if actor is not None:
        last = last.where(signals.c.actor == actor)
    if unheard := json.dumps(sorted(without)).strip("[]"):
        listed = func.json_each(f"[{unheard}]").table_valued("value")
        last = last.where(signals.c.id.not_in(select(listed.c["value"])))
    rows = tx.execute(select(signals).where(signals.c.id.in_(last)).order_by(signals.c.id))
    return [_signal(row) for row in rows if row.value is not None]


def count(tx: Connection) -> dict[str, int]:
    """Signals in force by kind; every kind is there."""
    counts = {str(kind): 0 for kind in SignalKind}
    for signal in in_force(tx):
        counts[str(signal.kind)] += 1
    return counts


def accounts(tx: Connection) -> dict[str, str]:
    """Actor → the account whose cap they share: those who are not signed in share one a client address."""
    rows = tx.execute(select(signals.c.actor, signals.c.client).where(signals.c.client != "").order_by(signals.c.id))
    return {row.actor: f"client {row.client}" for row in rows}


def put_rating(
    tx: Connection, answer_id: str, actor: str, changes: Mapping[str, Any], now: datetime, client: str = ""
) -> bool:
    """Rate an answer: ``changes`` may hold ``thumb``, ``stars``, ``reasons`` and ``note``. False when nothing changes.

    An absent field stays, None retracts. Flipping the thumb clears stars and reasons that ``changes`` doesn't
    set, and so does a thumb that contradicts the stars in force. Raises Contradiction when thumb and stars still
    contradict each other (up with 1 or 2, down with 4 or 5), and what ``put`` raises.
    """
    unknown = sorted(set(changes) - set(_RATING))
    if unknown:
        raise InvalidInput(f"unknown fields {', '.join(unknown)}; known are {', '.join(_RATING)}")
    wanted = {field: None if value is None else _value(_RATING[field], value) for field, value in changes.items()}
    now_in_force = {signal.kind: signal.value for signal in in_force(tx, answer_id, actor)}
    before = {field: now_in_force.get(kind) for field, kind in _RATING.items()}
    if _flips(before, wanted):
        wanted = {"stars": None, "reasons": None} | wanted
    after = before | wanted
    if _contradict(after["thumb"], after["stars"]):
        raise Contradiction(
            f"thumbs {after['thumb']} and {after['stars']} stars contradict each other; "
            "send both in one request, or retract one with null"
        )
    _check_target(tx, answer_id, SignalKind.THUMB, None)
    changed = [put(tx, answer_id, actor, _RATING[field], None, value, now, client) for field, value in wanted.items()]
    return any(changed)


_RATING = {
    "thumb": SignalKind.THUMB,
    "stars": SignalKind.STARS,
    "reasons": SignalKind.REASONS,
    "note": SignalKind.NOTE,
}


def _flips(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    thumb = wanted.get("thumb")
    if thumb is None:
        return False
    return before["thumb"] not in (None, thumb) or _contradict(thumb, before["stars"])


def _contradict(thumb: str | None, stars: int | None) -> bool:
    if thumb is None or stars is None:
        return False
    return stars <= 2 if thumb == "up" else stars >= 4


def _value(kind: SignalKind, value: Any) -> Any:
    """The value as it is stored, normalised so that equal acts compare equal."""
    match kind:
        case SignalKind.THUMB:
            if value not in THUMBS:
                raise InvalidInput(f"thumb must be up, down or null, not {value!r:.40}")
            return value
        case SignalKind.STARS:
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
                raise InvalidInput(f"stars must be 1 to 5 or null, not {value!r:.40}")
            return value
        case SignalKind.REASONS:
            return _reasons(value)
        case SignalKind.NOTE:
            if not isinstance(value, str):
                raise InvalidInput("note must be a text or null")
            return clean(value, "the note", NOTE_CHARACTERS).strip() or None
        case SignalKind.CHUNK_VOTE:
            if not isinstance(value, bool):
                raise InvalidInput(f"relevant must be true, false or null, not {value!r:.40}")
            return value
        case _:
            return True


def _reasons(value: Any) -> list[str] | None:
    if isinstance(value, str) or not isinstance(value, (list, tuple)) or not all(isinstance(r, str) for r in value):
        raise InvalidInput("reasons must be a list of texts or null")
    if len(value) > REASONS:
        raise InvalidInput(f"at most {REASONS} reasons are allowed")
    kept = dict.fromkeys(clean(reason, "a reason", REASON_CHARACTERS).strip() for reason in value)
    return [reason for reason in kept if reason] or None


def _check_target(tx: Connection, answer_id: str, kind: SignalKind, chunk_id: int | None) -> None:
    if tx.execute(select(answers.c.id).where(answers.c.id == answer_id)).scalar() is None:
        raise NotFound(f"no answer {answer_id!r}")
    if chunk_id is None:
        if kind in ABOUT_CANDIDATES:
            raise InvalidInput(f"a {kind} needs a chunk")
        return
    if kind not in ABOUT_CHUNKS:
        raise InvalidInput(f"{kind} is about the answer, not about a chunk")
    if tx.execute(select(chunks.c.id).where(chunks.c.id == chunk_id)).scalar() is None:
        raise NotFound(f"no chunk {chunk_id}")
    if kind in ABOUT_CANDIDATES:
        logged = select(impressions.c.rank).where(
            impressions.c.answer_id == answer_id, impressions.c.chunk_id == chunk_id
        )
        if tx.execute(logged).scalar() is None:
            raise NotFound(f"chunk {chunk_id} was not among the candidates of answer {answer_id!r}")


def _target_chunk(kind: ColumnElement[str], chunk_id: ColumnElement[int]) -> ColumnElement[Any]:
    """The chunk's part in a target: none for corrections, of which an actor has one an answer."""
    return case((kind == str(SignalKind.CORRECTION), None), else_=chunk_id)


def _latest(
    tx: Connection, answer_id: str, actor: str, kind: SignalKind, chunk_id: int | None
) -> Row[*tuple[Any, ...]] | None:
    target = and_(signals.c.answer_id == answer_id, signals.c.actor == actor, signals.c.kind == str(kind))
    if kind in ABOUT_CANDIDATES:
        target = and_(target, signals.c.chunk_id == chunk_id)
    return tx.execute(select(signals).where(target).order_by(signals.c.id.desc()).limit(1)).one_or_none()


def _same(before: Any, after: Any) -> bool:
    return type(before) is type(after) and bool(before == after)


def _signal(row: Row[*tuple[Any, ...]]) -> Signal:
    return Signal(
        id=row.id,
        answer_id=row.answer_id,
        actor=row.actor,
        kind=SignalKind(row.kind),
        chunk_id=row.chunk_id,
        value=row.value,
        created_at=row.created_at,
    )
