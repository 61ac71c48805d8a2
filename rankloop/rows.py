"""Judged data in files of people: rows of CSV and JSONL, each refused by its line number."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.errors import InvalidInput

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


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """A golden question as line ``line`` of a file has it."""

    line: int
    query: str
    repo: str | None
    expected: tuple[str | int, ...]


def read_golden(file: Path) -> list[GoldenRow]:
    """Rows with query, expected (in CSV with ; between) and perhaps repo. Raises InvalidInput naming the wrong line."""
    parsed: list[GoldenRow] = []
    for number, row in read_rows(file):
        query, expected, repo = row.get("query"), row.get("expected"), row.get("repo") or None
        if isinstance(expected, str):
            expected = [part.strip() for part in expected.split(";") if part.strip()]
        if not isinstance(query, str) or not query.strip() or not isinstance(expected, list) or not expected:
            raise InvalidInput(f"{file}, line {number}: needs a query and expected (a list of paths or chunk ids)")
        if not all(isinstance(item, str) or _is_chunk_id(item) for item in expected):
            raise InvalidInput(f"{file}, line {number}: expected holds something else than paths and chunk ids")
        if repo is not None and not isinstance(repo, str):
            raise InvalidInput(f"{file}, line {number}: repo must be a repository's name")
        parsed.append(GoldenRow(number, query, repo, tuple(expected)))
    if not parsed:
        raise InvalidInput(f"{file} has no rows")
    return parsed


def _is_chunk_id(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 1 <= item < 2**53
