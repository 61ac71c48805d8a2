"""Admin bodies: repositories, golden questions, judgments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from server.schemas.common import Form, Name, Note, Question, View
from store.types import PairSource


class AdminRepo(View):
    id: int
    name: str
    path: str
    created_at: datetime
    indexed_at: datetime | None
    files: int
    chunks: int
    skipped: dict[str, int]
    job_id: int | None
    """The indexing job that is queued or running."""


class RepoForm(Form):
    name: Name
    path: Annotated[str, Field(min_length=1, max_length=4096)]


class RepoAccepted(View):
    name: str
    job_id: int


class GoldenForm(Form):
    query: Question
    repo: Name | None = None
    expected: Annotated[list[Annotated[str, Field(min_length=1, max_length=4096)] | int], Field(min_length=1)]
    """Paths or chunk ids that must be found."""


class GoldenView(View):
    id: int
    query: str
    repo: str | None
    expected: list[str | int]


class JudgmentView(View):
    id: str
    group_id: int
    query: str
    content_hash: str
    chunk_id: int | None
    relevance: float
    weight: float
    strong: bool
    sources: list[PairSource]
    reasons: list[str]
    signal_ids: list[int]
    actors: list[str]
    conflict: bool
    vetoed: bool
    retired: bool
    repo: str | None
    path: str | None
    symbol: str | None
    start_line: int | None
    end_line: int | None
    text: str
    override: OverrideView | None


class OverrideView(View):
    action: Literal["veto", "edit", "restore"]
    relevance: float | None
    actor: str
    reason: str


class JudgmentPage(View):
    judgments: list[JudgmentView]
    total: int


class JudgmentForm(Form):
    action: Literal["veto", "edit", "restore"]
    relevance: float | None = Field(None, ge=0, le=1)
    reason: Note = ""
