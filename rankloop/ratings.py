"""Ratings as lines of a file, and taken over from one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store import signals
from store.database import Connection
from store.errors import InvalidInput, NotFound
from store.types import Signal, SignalKind

ABOUT_ANSWERS = (SignalKind.THUMB, SignalKind.STARS, SignalKind.REASONS, SignalKind.NOTE)
"""Said together in one call, because a thumb and stars must not contradict each other."""
UNKNOWN = "about an answer or a chunk that is not known here"


def record(row: Signal) -> dict[str, Any]:
    """A rating as a line holds it."""
    return {
        "answer_id": row.answer_id,
        "actor": row.actor,
        "kind": row.kind.value,
        "chunk_id": row.chunk_id,
        "value": row.value,
        "created_at": row.created_at.isoformat(),
    }


def signal(file: Path, number: int, row: Mapping[str, Any]) -> Signal:
    """The rating that a line holds. Raises InvalidInput naming the line that holds none."""
    try:
        answer_id, actor, chunk_id = row["answer_id"], row["actor"], row["chunk_id"]
        kind, at = SignalKind(row["kind"]), datetime.fromisoformat(row["created_at"])
        texts = isinstance(answer_id, str) and isinstance(actor, str) and at.tzinfo is not None
        numbered = chunk_id is None or (type(chunk_id) is int and 0 <= chunk_id < 2**63)
        if not (texts and numbered and row["value"] is not None):
            raise ValueError("a value of the wrong kind")
    except KeyError as error:
        raise InvalidInput(f"{file}, line {number}: {error} is missing") from error
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"{file}, line {number}: not a rating as `rankloop feedback export` writes it") from error
    at = min(at.astimezone(UTC), datetime.now(UTC))
    return Signal(number, answer_id, actor, kind, chunk_id, row["value"], at)


def take_over(tx: Connection, rows: Iterable[Signal]) -> Counter[str]:
    """Append what is new; ``{"added": …, reason for leaving out: …}``.

    Raises InvalidInput naming the line whose value no rating can have.
    """
    counts: Counter[str] = Counter()
    about_answers: dict[tuple[str, str], list[Signal]] = defaultdict(list)
    for row in rows:
        if signals.said_since(tx, row):
            counts["known already, or newer ones are"] += 1
        elif row.kind in ABOUT_ANSWERS:
            about_answers[row.answer_id, row.actor].append(row)
        else:
            counts[_put(tx, row)] += 1
    for together in about_answers.values():
        counts[_put_rating(tx, together)] += len(together)
    return counts


def _put(tx: Connection, row: Signal) -> str:
    try:
        signals.put(tx, row.answer_id, row.actor, row.kind, row.chunk_id, row.value, row.created_at)
    except NotFound:
        return UNKNOWN
    except InvalidInput as error:
        raise InvalidInput(f"line {row.id}: {error.message}") from error
    return "added"


def _put_rating(tx: Connection, together: list[Signal]) -> str:
    first = together[0]
    changes = {row.kind.value: row.value for row in together}
    at = max(row.created_at for row in together)
    try:
        signals.put_rating(tx, first.answer_id, first.actor, changes, at)
    except NotFound:
        return UNKNOWN
    except signals.Contradiction:
        return "contradicts what the same person says here"
    except InvalidInput as error:
        raise InvalidInput(f"line {first.id}: {error.message}") from error
    return "added"
