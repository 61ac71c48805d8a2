"""Jobs: start, list, watch, cancel."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from server import indexing_jobs, sse
from server.deps import Admin, Id, State
from server.routes.streaming import EventStream
from server.schemas.common import ErrorBody
from server.schemas.jobs import EventsQuery, JobAccepted, JobEvents, JobEventView, JobForm, JobList, JobView
from server.state import AppState
from store import jobs, registry, snapshots
from store.errors import Conflict, InvalidInput
from store.types import Job, JobEvent, JobKind, Json

router = APIRouter(prefix="/jobs")
POLL_SECONDS = 0.5
KEEP_ALIVE_POLLS = 30
PAGE = 500
_TAKES = {
    JobKind.NIGHTLY: frozenset({"recipe", "seed", "max_steps", "pairs_batch", "snapshot"}),
    JobKind.EVALUATE: frozenset({"version"}),
}


@router.post("", status_code=202)
def start_job(admin: Admin, form: JobForm, state: State) -> JobAccepted:
    """Queue a job.

    A nightly job with a snapshot is a rehearsal: it trains on that stored data set instead of a new one, by its recipe
    and seed where no others are given. Its version is compared with today's champion, counts as no trial and is never
    promoted by itself. 404 for a snapshot that is not there.
    """
    if form.kind is JobKind.INDEX:
        if form.repo is None:
            raise InvalidInput("An index job needs repo, the name of a repository, and for a new one its path.")
        return JobAccepted(job_id=indexing_jobs.start(state.db, form.repo, form.path, admin, state.clock()).id)
    params = _params(form)
    with state.db.write() as tx:
        _refuse_second(jobs.list_all(tx, form.kind, limit=20))
        if form.version is not None:
            registry.get(tx, form.version)
        if form.snapshot is not None:
            params["snapshot"] = snapshots.find(tx, form.snapshot)
        job = jobs.enqueue(tx, form.kind, params, admin, state.clock())
    assert job is not None
    return JobAccepted(job_id=job.id)


@router.get("")
def list_jobs(
    admin: Admin,  # noqa: ARG001
    state: State,
    kind: JobKind | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> JobList:
    """Jobs, newest first."""
    with state.db.read() as tx:
        return JobList(jobs=[JobView.model_validate(job) for job in jobs.list_all(tx, kind, limit)])


@router.get("/{job_id}")
def get_job(admin: Admin, job_id: Id, state: State) -> JobView:  # noqa: ARG001
    """A job with stage, progress, error and result."""
    with state.db.read() as tx:
        return JobView.model_validate(jobs.get(tx, job_id))


@router.get(
    "/{job_id}/events",
    response_model=JobEvents,
    responses=sse.described(log=JobEventView, job=JobView, end=None, error=ErrorBody),
)
async def job_events(
    admin: Admin,  # noqa: ARG001
    job_id: Id,
    state: State,
    wanted: Annotated[EventsQuery, Query()],
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> Response | JobEvents:
    """Live log as server-sent events log, job, end; with stream=false the lines so far as JSON."""
    after = wanted.after
    if last_event_id is not None and last_event_id.isdecimal() and len(last_event_id) < 19:
        after = max(after, int(last_event_id))
    job, lines = await anyio.to_thread.run_sync(_look, state, job_id, after)
    if not wanted.stream:
        return JobEvents(events=[JobEventView.model_validate(line) for line in lines])
    return EventStream(_watch(state, job, lines, after), state.stopping)


@router.post("/{job_id}/cancel")
def cancel_job(admin: Admin, job_id: Id, state: State) -> JobView:  # noqa: ARG001
    """Ask a job to stop."""
    with state.db.write() as tx:
        return JobView.model_validate(jobs.request_cancel(tx, job_id, state.clock()))


async def _watch(state: AppState, job: Job, lines: list[JobEvent], after: int) -> AsyncGenerator[bytes, None]:
    """The log from ``after`` on, the job at each change, ``end`` once it has ended and everything is told."""
    shown: Job | None = None
    polls = 0
    while True:
        for line in lines:
            after = line.id
            yield sse.encode("log", JobEventView.model_validate(line), id=line.id)
        if job != shown:
            shown = job
            yield sse.encode("job", JobView.model_validate(job))
        if job.state.ended and len(lines) < PAGE:
            yield sse.encode("end", {"state": job.state.value})
            return
        if not lines:
            polls += 1
            if polls % KEEP_ALIVE_POLLS == 0:
                yield sse.KEEP_ALIVE
            await anyio.sleep(POLL_SECONDS)
        job, lines = await anyio.to_thread.run_sync(_look, state, job.id, after)


def _look(state: AppState, job_id: int, after: int) -> tuple[Job, list[JobEvent]]:
    with state.db.read() as tx:
        return jobs.get(tx, job_id), jobs.events(tx, job_id, after, PAGE)


def _refuse_second(recent: list[Job]) -> None:
    open_job = next((job for job in recent if not job.state.ended), None)
    if open_job is not None:
        raise Conflict(f"Job {open_job.id} ({open_job.kind}) is {open_job.state} already; wait for it or cancel it.")


def _params(form: JobForm) -> Json:
    given = form.model_dump(exclude={"kind"}, exclude_none=True)
    wrong = sorted(given.keys() - _TAKES[form.kind])
    if wrong:
        raise InvalidInput(f"A job of kind {form.kind} takes no {', '.join(wrong)}.")
    if form.snapshot is not None and form.pairs_batch is not None:
        raise InvalidInput("A snapshot says itself what was imported: leave pairs_batch out.")
    return given
