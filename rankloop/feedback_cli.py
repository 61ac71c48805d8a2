"""``rankloop feedback``: ratings to a file and from one."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from rankloop.context import fail_clearly, open_context
from rankloop.data_cli import read_rows
from store import signals
from store.database import Connection
from store.errors import InvalidInput, NotFound
from store.types import Signal, SignalKind

app = typer.Typer(no_args_is_help=True, help="Ratings as a file.")

ABOUT_ANSWERS = (SignalKind.THUMB, SignalKind.STARS, SignalKind.REASONS, SignalKind.NOTE)
"""Said together in one call, because a thumb and stars must not contradict each other."""
UNKNOWN = "about an answer or a chunk that is not known here"


@app.command("export")
@fail_clearly
def feedback_export(file: Annotated[Path, typer.Argument(help="JSONL file to write.")]) -> None:
    """Write every rating that is in force, one JSON object a line."""
    with open_context() as context:
        with context.db.read() as tx:
            rows = signals.in_force(tx)
        try:
            with file.open("w", encoding="utf-8") as out:
                out.writelines(json.dumps(_record(row), ensure_ascii=False) + "\n" for row in rows)
        except OSError as error:
            raise InvalidInput(f"{file} can't be written: {error}") from error
        context.console.print(f"{len(rows):,} ratings written to {file}.", soft_wrap=True)


@app.command("import")
@fail_clearly
def feedback_import(
    file: Annotated[Path, typer.Argument(help="A file that `rankloop feedback export` wrote.")],
) -> None:
    """Take over ratings of answers that are known here. What somebody has said here since stays in force."""
    rows = [_signal(file, number, row) for number, row in read_rows(file)]
    with open_context() as context:
        with context.db.write() as tx:
            counts = take_over(tx, rows)
        context.console.print(f"{counts.pop('added', 0):,} of {len(rows):,} ratings imported.")
        for why, number in sorted(counts.items()):
            context.console.print(f"  {number:,} left out: {why}")


def _record(row: Signal) -> dict[str, Any]:
    return {
        "answer_id": row.answer_id,
        "actor": row.actor,
        "kind": row.kind.value,
        "chunk_id": row.chunk_id,
        "value": row.value,
        "created_at": row.created_at.isoformat(),
    }


def _signal(file: Path, number: int, row: Mapping[str, Any]) -> Signal:
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
