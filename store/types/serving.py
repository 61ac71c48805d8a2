"""Serving: versions, the champion, the ledger, and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.types.ranking import Blend
from store.types.words import Decision, DeploymentAction, JobKind, JobState, Json, VersionForm


@dataclass(frozen=True, slots=True)
class Version:
    id: int
    name: str
    form: VersionForm
    base: str
    parent_id: int | None
    snapshot_hash: str | None
    path: str | None
    """Directory below the models directory; None for version 0."""
    blend: Blend
    metrics: Json
    decision: Decision | None
    reasons: tuple[str, ...]
    created_at: datetime
    job_id: int | None
    champion: bool = False


@dataclass(frozen=True, slots=True)
class Champion:
    """The pointer that servers watch. ``generation`` grows by one with every move."""

    version_id: int
    generation: int
    since: datetime
    auto_promote: bool
    """False after a person's rollback, until resumed."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One line of the append-only ledger."""

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


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: JobKind
    state: JobState
    stage: str
    progress: float
    params: Json
    result: Json | None
    error: str | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    requested_by: str


@dataclass(frozen=True, slots=True)
class JobEvent:
    """A line of a job's live log. ``data`` holds e.g. loss, learning rate, pairs per second, seconds left."""

    id: int
    job_id: int
    at: datetime
    type: str
    data: Json
