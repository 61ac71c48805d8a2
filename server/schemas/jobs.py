"""Admin bodies: jobs and the schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from server.schemas.common import MAX_ID, Form, Name, QueryForm, View
from store.types import JobKind, JobState


class JobForm(Form):
    kind: Annotated[JobKind, Field(strict=False)]
    repo: Name | None = None
    """``index``: the repository."""
    path: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """``index``: its directory on the server, where it is not known yet or has moved."""
    recipe: Name | None = None
    """``nightly``: a recipe other than the setting's."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """``nightly``: of everything random."""
    version: Annotated[int, Field(ge=0, le=MAX_ID)] | None = None
    """``evaluate``: the version; None is the champion."""
    max_steps: Annotated[int, Field(ge=1, le=10**7)] | None = None
    """``nightly``: a smaller budget than the recipe's."""
    pairs_batch: Name | None = None
    """``nightly``: train on this imported file alone; "all" for every imported file."""
    snapshot: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")] | None = None
    """``nightly``: train again on this stored data set, named by its hash or the first 8 or more characters of it."""


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
    """Server-sent event ``log`` with ``id``. The stream also sends ``job`` (a JobView) at each change, and ``end``."""

    id: int
    job_id: int
    at: datetime
    type: str
    data: dict[str, Any]


class EventsQuery(QueryForm):
    """From which line on, and whether to go on as the job does."""

    after: Annotated[int, Field(ge=0, le=MAX_ID)] = 0
    stream: bool = True


class JobEvents(View):
    events: list[JobEventView]


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
