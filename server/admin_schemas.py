"""Bodies of the admin calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from server.schemas import Form, Name, Note, Question, View
from store.types import Decision, DeploymentAction, JobKind, JobState, PairSource, VersionForm

Why = Annotated[Note, Field(min_length=1)]


# --- versions and deployments ---------------------------------------------------------------


class BlendView(View):
    dense: float
    lexical: float
    rerank: float


class VersionView(View):
    id: int
    name: str
    form: VersionForm
    base: str
    parent_id: int | None
    snapshot_hash: str | None
    blend: BlendView
    metrics: dict[str, Any]
    decision: Decision | None
    reasons: list[str]
    created_at: datetime
    job_id: int | None
    champion: bool


class VersionDetail(VersionView):
    card: str | None
    """The model card, Markdown."""
    manifest: dict[str, Any] | None
    deployments: list[DeploymentView]


class VersionPage(View):
    versions: list[VersionView]
    total: int


class ChampionView(View):
    version_id: int
    generation: int
    since: datetime
    auto_promote: bool


class DeploymentView(View):
    id: int
    at: datetime
    actor: str
    action: DeploymentAction
    from_version: int | None
    to_version: int
    generation: int
    reason: str
    forced: bool
    job_id: int | None


class PromoteForm(Form):
    reason: Why
    force: bool = False
    """Needed to promote against the gate's decision."""


class RollbackForm(Form):
    reason: Why
    to: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    """None is the champion before this one."""


class MetricRow(View):
    """Paired over the queries both versions ranked. The interval is the 95 % bootstrap of the mean difference b - a."""

    metric: str
    evidence: str
    queries: int
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    """Two-sided paired randomisation test."""


class RankedText(View):
    content_hash: str
    path: str | None
    symbol: str | None
    start_line: int | None
    end_line: int | None
    relevance: float | None


class QueryRow(View):
    group_id: int
    query: str
    evidence: str
    a: float
    b: float
    difference: float
    """Of ndcg@10."""
    ranking_a: list[RankedText]
    ranking_b: list[RankedText]


class Comparison(View):
    a: VersionView
    b: VersionView
    metrics: list[MetricRow]
    wins: int
    losses: int
    ties: int
    queries: list[QueryRow]
    """Queries whose ndcg@10 differs, largest difference first."""
    note: str | None
    """Why there is nothing to compare, where there is not."""


# --- jobs -----------------------------------------------------------------------------------


class JobForm(Form):
    kind: JobKind
    repo: Name | None = None
    """``index``: the repository."""
    path: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """``index``: its directory on the server, where it is not known yet or has moved."""
    recipe: Name | None = None
    """``nightly``: a recipe other than the setting's."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    version: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    """``evaluate``: the version; None is the champion."""


class JobAccepted(View):
    job_id: int


class JobView(View):
    id: int
    kind: JobKind
    state: JobState
    stage: str
    progress: float
    params: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    requested_by: str


class JobList(View):
    jobs: list[JobView]


class JobEventView(View):
    """Server-sent event ``log`` (with its ``id``); the stream also sends ``job`` (a JobView) at each change and ``end``."""

    id: int
    job_id: int
    at: datetime
    type: str
    data: dict[str, Any]


class JobEvents(View):
    events: list[JobEventView]


# --- overview, repositories, golden, judgments, schedule --------------------------------------


class Counts(View):
    repos: int
    files: int
    chunks: int
    answers: int
    conversations: int
    signals: dict[str, int]
    judgments: int
    strong_judgments: int
    conflicts: int
    retired: int
    judged_groups: int
    held_out_groups: int
    golden: int
    imported_pairs: int


class CurvePoint(View):
    """One champion: its held-out ndcg@10 with interval, beside no reranking and the base."""

    at: datetime
    version: int
    name: str
    ndcg: float | None
    low: float | None
    high: float | None
    no_rerank: float | None
    base: float | None


class DayCount(View):
    day: str
    ratings: int
    answers: int


class Satisfaction(View):
    version: int
    up: int
    down: int


class Overview(View):
    counts: Counts
    champion: ChampionView
    serving: VersionView
    serving_note: str | None
    """Set where this server serves another version than the champion."""
    jobs: list[JobView]
    curve: list[CurvePoint]
    days: list[DayCount]
    satisfaction: list[Satisfaction]
    next_runs: list[datetime]
    attention: list[str]
    """What needs a person, in sentences."""


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


class ScheduleForm(Form):
    cron: Name | None = None
    """Minute, hour, day of month, month, day of week; absent stays."""
    auto_promote: bool | None = None
    """True also resumes automatic promotion after a rollback paused it."""


class ScheduleView(View):
    cron: str
    auto_promote: bool
    paused: bool
    """A person's rollback paused automatic promotion."""
    timezone: str
    next: list[datetime]
