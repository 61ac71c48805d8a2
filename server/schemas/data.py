"""Admin bodies: repositories, golden questions, judgments."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field

from server.schemas.common import MAX_ID, NO_NUL, NOT_BLANK, ChunkId, Form, Name, Note, QueryForm, Question, View
from store.bursts import Fate
from store.types import PairSource

if TYPE_CHECKING:
    from store.judgment_filter import Filters

PathText = Annotated[str, Field(min_length=1, max_length=4096, json_schema_extra={**NOT_BLANK})]
Limit = Annotated[int, Field(ge=1, le=500)]
Offset = Annotated[int, Field(ge=0, le=2**31)]


class SecretPlace(View):
    """Where a secret's value was left out of the index."""

    path: str
    line: int
    kind: str


class AdminRepo(View):
    id: int
    name: str
    path: str
    created_at: datetime
    indexed_at: datetime | None
    files: int
    chunks: int
    skipped: dict[str, int]
    secrets: int
    """Values that were left out of the indexed text."""
    secrets_at: list[SecretPlace]
    """Where: the first 100 by path and line."""
    job_id: int | None
    """The indexing job that is queued or running."""


class RepoForm(Form):
    name: Name
    path: Annotated[str, Field(min_length=1, max_length=4096)]


class RepoAccepted(View):
    name: str
    job_id: int


class VisibilityForm(Form):
    """Who may see a repository. Not ``restricted``: everybody; else people and groups by name, and administrators."""

    restricted: Annotated[bool, Field(strict=True)]
    people: Annotated[list[Name], Field(max_length=1000)] = Field(default_factory=list)
    groups: Annotated[list[Name], Field(max_length=1000)] = Field(default_factory=list)


class VisibilityView(View):
    restricted: bool
    people: list[str]
    groups: list[str]


class GoldenForm(Form):
    query: Question
    repo: Name | None = None
    expected: Annotated[list[PathText | ChunkId], Field(min_length=1)]
    """Paths or chunk ids that must be found."""


class GoldenView(View):
    id: int
    query: str
    repo: str | None
    expected: list[str | int]
    warnings: list[str]
    """A sentence for each expected place that is in no repository's index."""


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


class JudgmentQuery(QueryForm):
    """Which judgments; ``search`` is a part of the question, ``conflict`` lists contradictions."""

    search: Annotated[str, Field(max_length=200)] | None = None
    source: PairSource | None = None
    strong: bool | None = None
    conflict: bool | None = None
    retired: bool | None = None
    vetoed: bool | None = None
    repo: Name | None = None
    actor: Name | None = None

    def filters(self) -> Filters:
        """As the store takes them."""
        return {
            "search": self.search,
            "source": self.source,
            "strong": self.strong,
            "conflict": self.conflict,
            "retired": self.retired,
            "vetoed": self.vetoed,
            "repo": self.repo,
            "actor": self.actor,
        }


class JudgmentListQuery(JudgmentQuery):
    limit: Limit = 50
    offset: Offset = 0


class ActorCount(View):
    actor: str
    judgments: int


class DataSetView(View):
    """A data set: an immutable snapshot of pairs, and the versions that learned from it."""

    hash: str
    created_at: datetime
    versions: list[int]


class PairView(View):
    """One training row: why it exists, and the code it is about where that is still known."""

    group_id: int
    query: str
    content_hash: str
    label: float
    weight: float
    source: PairSource
    reason: str
    dense_score: float
    lexical_score: float
    repo: str | None
    path: str | None
    symbol: str | None
    start_line: int | None
    end_line: int | None
    text: str


class PairPage(View):
    data_set: DataSetView | None
    """None while there is none: the nightly job makes them."""
    size: int
    """Pairs in the whole data set."""
    positives: int
    pairs: list[PairView]
    total: int
    """Pairs that pass the filters."""


class PairQuery(QueryForm):
    """Which pairs; ``data_set`` is a snapshot's hash, the latest one where absent."""

    data_set: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    search: Annotated[str, Field(max_length=200)] | None = None
    source: PairSource | None = None
    relevant: bool | None = None
    repo: Name | None = None


class PairListQuery(PairQuery):
    limit: Limit = 50
    offset: Offset = 0


class JudgmentForm(Form):
    """An edit needs a relevance; a veto and a restoring take none."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"action": {"const": "edit"}}},
            "then": {"required": ["relevance"], "properties": {"relevance": {"type": "number"}}},
            "else": {"properties": {"relevance": {"type": "null"}}},
        }
    )

    action: Literal["veto", "edit", "restore"]
    relevance: float | None = Field(None, ge=0, le=1)
    reason: Note = ""


class BurstView(View):
    """Ratings that one account gave within a short time, more than a person could mean."""

    account: str
    signals: int
    first_signal: int
    last_signal: int
    began: datetime
    ended: datetime
    fate: Fate
    decided_by: str | None
    decided_at: datetime | None
    reason: str


class HeldBack(View):
    """More than ``signals`` ratings of one account within ``minutes`` are held back; 0: never."""

    signals: int
    minutes: float
    bursts: list[BurstView]


class BurstForm(Form):
    account: Annotated[str, Field(min_length=1, max_length=264, json_schema_extra={**NO_NUL})]
    first_signal: Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
    last_signal: Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
    action: Literal["release", "leave_out"]
    reason: Note = ""
