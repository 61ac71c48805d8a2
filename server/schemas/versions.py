"""Admin bodies: versions, their comparison, deployments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, field_validator

from server.schemas.common import MAX_ID, Form, View, Why
from store.types import Decision, DeploymentAction, VersionForm


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

    @field_validator("metrics")
    @classmethod
    def _shown(cls, metrics: dict[str, Any]) -> dict[str, Any]:
        """Without the list of judged groups: it grows with every night and only the trainer reads it."""
        return {name: value for name, value in metrics.items() if name != "judged_groups"}


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
    to: Annotated[int, Field(ge=0, le=MAX_ID)] | None = None
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
    """A judged text in a ranking; where it is now, if it is still there."""

    content_hash: str
    id: int | None = None
    path: str | None = None
    symbol: str | None = None
    start_line: int | None = None
    end_line: int | None = None
    relevance: float | None = None
    """What people held it to be when it was measured, 0 to 1; None where nobody judged it."""


class RightText(RankedText):
    """A relevant text and where both versions put it."""

    rank_a: int | None
    """From 1; None below the ten that are stored."""
    rank_b: int | None


class QueryRow(View):
    group_id: int
    query: str
    evidence: str
    a: float
    b: float
    difference: float
    """Of ndcg@10."""
    right: list[RightText]
    """The relevant texts, best placed first."""
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
