"""Code as it is indexed: repositories and chunks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Repo:
    id: int
    name: str
    path: str
    created_at: datetime
    indexed_at: datetime | None
    files: int
    chunks: int
    skipped: Mapping[str, int]
    """Reason → number of files left out by the last indexing."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Where a secret was left out of the indexed text; never its value."""

    path: str
    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class ChunkDraft:
    """A chunk as the indexer cut it, before it has an id."""

    path: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    text: str
    content_hash: str
    """sha256 hex of the text's UTF-8 bytes."""


@dataclass(frozen=True, slots=True)
class Chunk:
    id: int
    repo: str
    path: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    content_hash: str
    text: str
