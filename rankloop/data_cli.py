"""``rankloop pairs`` and ``golden``: judged data from files."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from rankloop.context import fail_clearly, open_context
from store import golden, imports
from store.errors import InvalidInput

pairs_app = typer.Typer(no_args_is_help=True, help="Labelled pairs from a file.")
golden_app = typer.Typer(no_args_is_help=True, help="Golden questions: what must always be found.")

PAIR_COLUMNS = (("sentence_0", "sentence_1", "label"), ("query", "passage", "label"))


def read_rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows of a CSV or JSONL file with their line numbers. Raises InvalidInput naming the line that is wrong."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            if file.suffix.lower() == ".csv":
                reader = csv.DictReader(lines, strict=True)
                for row in reader:
                    yield reader.line_num, row
            else:
                yield from _json_rows(file, lines)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{file} can't be read: {error}") from error


def _json_rows(file: Path, lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InvalidInput(f"{file}, line {number}: not JSON ({error.msg})") from error
        if not isinstance(row, dict):
            raise InvalidInput(f"{file}, line {number}: expected an object with columns, got {type(row).__name__}")
        yield number, row


def read_pairs(file: Path) -> list[tuple[str, str, float]]:
    """(query, passage, label) rows; labels in [0, 1]. Raises InvalidInput naming missing columns or wrong labels."""
    rows: list[tuple[str, str, float]] = []
    columns: tuple[str, str, str] | None = None
    for number, row in read_rows(file):
        if columns is None:
            columns = next((names for names in PAIR_COLUMNS if all(name in row for name in names)), None)
            if columns is None:
                needed = " or ".join(", ".join(names) for names in PAIR_COLUMNS)
                raise InvalidInput(f"{file} has the columns {', '.join(map(str, row))}; needed are {needed}")
        rows.append(_pair(file, number, row, columns))
    if not rows:
        raise InvalidInput(f"{file} has no rows")
    return rows


def _pair(file: Path, number: int, row: Mapping[str, Any], columns: tuple[str, str, str]) -> tuple[str, str, float]:
    query, passage, raw = (row.get(name) for name in columns)
    if not isinstance(query, str) or not query.strip() or not isinstance(passage, str) or not passage.strip():
        raise InvalidInput(f"{file}, line {number}: {columns[0]} and {columns[1]} must be text that is not empty")
    try:
        label = float(raw) if raw is not None else math.nan
    except (TypeError, ValueError):
        label = math.nan
    if not 0.0 <= label <= 1.0:
        raise InvalidInput(f"{file}, line {number}: {columns[2]} must be a number from 0 to 1, not {raw!r}")
    return query, passage, label


@pairs_app.command("import")
@fail_clearly
def pairs_import(file: Path) -> None:
    """Import labelled pairs (CSV or JSONL): sentence_0, sentence_1, label, or query, passage, label."""
    rows = read_pairs(file)
    batch = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    with open_context() as context:
        with context.db.write() as tx:
            added = imports.add_pairs(tx, batch, rows, datetime.now(UTC))
        if added:
            context.console.print(f"{added:,} pairs imported as batch {batch}. Train on them alone with:")
        else:
            context.console.print(f"This file was imported before, as batch {batch}. Train on it alone with:")
        context.console.print(f"  rankloop train --recipe seed --pairs {batch}")


@golden_app.command("import")
@fail_clearly
def golden_import(file: Path) -> None:
    """Import golden questions (JSONL or CSV): query, expected (paths or chunk ids; in CSV with ; between), repo."""
    parsed: list[tuple[str, str | None, list[str | int]]] = []
    for number, row in read_rows(file):
        query, expected = row.get("query"), row.get("expected")
        if isinstance(expected, str):
            expected = [part.strip() for part in expected.split(";") if part.strip()]
        if not isinstance(query, str) or not query.strip() or not isinstance(expected, list) or not expected:
            raise InvalidInput(f"{file}, line {number}: needs a query and expected (a list of paths or chunk ids)")
        if not all(isinstance(item, str | int) for item in expected):
            raise InvalidInput(f"{file}, line {number}: expected holds something else than paths and chunk ids")
        parsed.append((query, row.get("repo") or None, expected))
    if not parsed:
        raise InvalidInput(f"{file} has no rows")
    with open_context() as context:
        with context.db.write() as tx:
            for query, repo, expected in parsed:
                golden.add(tx, query, repo, expected, datetime.now(UTC))
        context.console.print(f"{len(parsed):,} golden questions imported.")
