"""The job queue: rows claimed with a lease, so that a killed worker's job is taken up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, case, func, insert, null, or_, select, update

from store.database import Database
from store.errors import Conflict, NotFound
from store.tables import job_events, jobs
from store.types import Job, JobEvent, JobKind, JobState, Json

MAX_ATTEMPTS = 3
"""A job whose worker died this often is failed, not tried again."""
LONGEST_LEASE = timedelta(minutes=10)
"""Well above what workers ask for; their clocks may differ by the rest."""
CLOCK_AHEAD = timedelta(days=1)
"""Queued so far in the future: by a clock that was wrong."""
PUT_BACK = timedelta(hours=12)
"""Less than lies between two nights, and more than clocks of servers that work together differ by."""


@dataclass(frozen=True, slots=True)
class HeartbeatResult:
    """``alive`` False: the job is no longer this owner's, drop the work."""

    alive: bool
    cancel_requested: bool


def enqueue(
    tx: Connection, kind: JobKind, params: Json, requested_by: str, now: datetime, due: str | None = None
) -> Job | None:
    """Queue a job; None when one with this ``due`` key exists (whatever became of it).

    One that was queued by a clock that was ahead gives its key back: the time it was meant for is still to come.
    """
    if due is not None:
        there = tx.execute(select(jobs.c.id, jobs.c.created_at).where(jobs.c.due == due)).one_or_none()
        if there is not None and not _queued_too_early(tx, there.id, there.created_at, now):
            return None
        if there is not None:
            early = f"{due} (job {there.id}, by a clock ahead)"
            tx.execute(update(jobs).where(jobs.c.id == there.id).values(due=early))
    row = tx.execute(
        insert(jobs)
        .values(
            kind=kind.value,
            state=JobState.QUEUED.value,
            stage="queued",
            progress=0.0,
            params=params,
            result=null(),
            due=due,
            requested_by=requested_by,
            attempt=0,
            cancel_requested=False,
            created_at=now,
        )
        .returning(jobs)
    ).one()
    return _job(row)


def _queued_too_early(tx: Connection, job_id: int, created_at: datetime, now: datetime) -> bool:
    """Its time is yet to come, or another scheduled job came after it that was queued at an earlier time."""
    if created_at > now + CLOCK_AHEAD:
        return True
    later = select(jobs.c.id).where(
        jobs.c.due.is_not(None), jobs.c.id > job_id, jobs.c.created_at < created_at - PUT_BACK
    )
    return tx.execute(later.limit(1)).first() is not None


def claim(db: Database, kinds: Sequence[JobKind], owner: str, lease: timedelta, now: datetime) -> Job | None:
    """Take the oldest waiting job of ``kinds``, or one whose owner let its lease expire; None when there is none.

    ``owner`` names one worker for its lifetime and must be unique.
    """
    with db.write() as tx:
        _give_up(tx, now)
        open_job = (
            select(jobs.c.id)
            .where(
                jobs.c.kind.in_([kind.value for kind in kinds]),
                or_(jobs.c.state == JobState.QUEUED.value, _abandoned(now)),
            )
            .order_by(jobs.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        row = tx.execute(
            update(jobs)
            .where(jobs.c.id == open_job)
            .values(
                state=JobState.RUNNING.value,
                owner=owner,
                lease_until=now + lease,
                attempt=jobs.c.attempt + 1,
                started_at=func.coalesce(jobs.c.started_at, now),
                stage="starting",
                progress=0.0,
            )
            .returning(jobs)
        ).one_or_none()
        return None if row is None else _job(row)


def heartbeat(db: Database, job_id: int, owner: str, lease: timedelta, now: datetime) -> HeartbeatResult:
    """Extend the lease and learn whether to stop."""
    with db.write() as tx:
        row = tx.execute(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.owner == owner, jobs.c.state == JobState.RUNNING.value)
            .values(lease_until=now + lease)
            .returning(jobs.c.cancel_requested)
        ).one_or_none()
    return HeartbeatResult(False, False) if row is None else HeartbeatResult(True, row.cancel_requested)


def progress(tx: Connection, job_id: int, stage: str, fraction: float) -> None:
    """Say how far a running job is: its stage's name, and the whole job's share done in [0, 1]."""
    tx.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state == JobState.RUNNING.value)
        .values(stage=stage, progress=min(1.0, max(0.0, fraction)))
    )


def event(tx: Connection, job_id: int, type: str, data: Json, now: datetime) -> None:
    """Append a line to the job's live log."""
    tx.execute(insert(job_events).values(job_id=job_id, at=now, type=type, data=data))


def events(tx: Connection, job_id: int, after_id: int = 0, limit: int = 500) -> list[JobEvent]:
    """Log lines after ``after_id``, oldest first."""
    rows = tx.execute(
        select(job_events)
        .where(job_events.c.job_id == job_id, job_events.c.id > after_id)
        .order_by(job_events.c.id)
        .limit(limit)
    )
    return [JobEvent(row.id, row.job_id, row.at, row.type, row.data) for row in rows]


def finish(
    tx: Connection,
    job_id: int,
    state: JobState,
    result: Json | None,
    error: str | None,
    now: datetime,
    *,
    owner: str,
) -> Job:
    """End a running job. Raises Conflict when ``owner`` does not hold it (any more)."""
    if not state.ended:
        raise ValueError(f"{state} is not an end")
    done = state is JobState.SUCCEEDED
    row = tx.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.owner == owner, jobs.c.state == JobState.RUNNING.value)
        .values(
            state=state.value,
            result=null() if result is None else result,
            error=error,
            finished_at=now,
            lease_until=None,
            progress=1.0 if done else jobs.c.progress,
            stage="done" if done else jobs.c.stage,
        )
        .returning(jobs)
    ).one_or_none()
    if row is None:
        raise Conflict(f"job {job_id} is not held by {owner}: another worker has taken it up or it has ended")
    return _job(row)


def request_cancel(tx: Connection, job_id: int, now: datetime) -> Job:
    """Cancel: at once while it waits, else its worker is asked to stop. Raises NotFound; Conflict when it has ended."""
    job = get(tx, job_id)
    if job.state is JobState.CANCELLED:
        return job
    if job.state.ended:
        raise Conflict(f"job {job_id} has ended already ({job.state})")
    waiting = jobs.c.state == JobState.QUEUED.value
    tx.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(
            cancel_requested=True,
            state=case((waiting, JobState.CANCELLED.value), else_=jobs.c.state),
            finished_at=case((waiting, now), else_=jobs.c.finished_at),
        )
    )
    return get(tx, job_id)


def get(tx: Connection, job_id: int) -> Job:
    """Raises NotFound."""
    row = tx.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"no job {job_id}")
    return _job(row)


def list_all(tx: Connection, kind: JobKind | None = None, limit: int = 50) -> list[Job]:
    """Jobs, latest first."""
    query = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(jobs.c.kind == kind.value)
    return [_job(row) for row in tx.execute(query)]


def release(db: Database, owner: str) -> int:
    """Put back what ``owner`` holds, at an orderly end; the attempt does not count. Returns how many."""
    with db.write() as tx:
        return tx.execute(
            update(jobs)
            .where(jobs.c.owner == owner, jobs.c.state == JobState.RUNNING.value)
            .values(
                state=JobState.QUEUED.value,
                owner=None,
                lease_until=None,
                attempt=jobs.c.attempt - 1,
                stage="queued",
                progress=0.0,
            )
        ).rowcount


def abandon(db: Database, dead: Callable[[str], bool], now: datetime) -> list[int]:
    """End the leases of running jobs whose owner is ``dead``, so that they are taken up at once; returns their ids.

    Those that have used up their attempts, or were to be cancelled, end here: what they left can be swept then.
    """
    with db.write() as tx:
        running = tx.execute(select(jobs.c.id, jobs.c.owner).where(jobs.c.state == JobState.RUNNING.value)).all()
        found = [row.id for row in running if row.owner is not None and dead(row.owner)]
        tx.execute(update(jobs).where(jobs.c.id.in_(found)).values(lease_until=now - timedelta(seconds=1)))
        _give_up(tx, now)
    return found


def stranded(tx: Connection, now: datetime) -> list[Job]:
    """Running jobs whose worker has let the lease expire: it was killed, or hangs."""
    return [_job(row) for row in tx.execute(select(jobs).where(_abandoned(now)).order_by(jobs.c.id))]


def _abandoned(now: datetime) -> Any:
    """A lease further ahead than any is granted was given before the clock was put back: it would never expire."""
    expired = or_(jobs.c.lease_until < now, jobs.c.lease_until > now + LONGEST_LEASE)
    return (jobs.c.state == JobState.RUNNING.value) & expired


def _give_up(tx: Connection, now: datetime) -> None:
    """End abandoned jobs that were to be cancelled or have used up their attempts; and waiting ones to be cancelled."""
    tx.execute(
        update(jobs)
        .where(jobs.c.cancel_requested, or_(_abandoned(now), jobs.c.state == JobState.QUEUED.value))
        .values(state=JobState.CANCELLED.value, finished_at=now, lease_until=None)
    )
    tx.execute(
        update(jobs)
        .where(_abandoned(now), jobs.c.attempt >= MAX_ATTEMPTS)
        .values(
            state=JobState.FAILED.value,
            finished_at=now,
            lease_until=None,
            error=f"its worker died {MAX_ATTEMPTS} times; the last stage was recorded, see the trainer's log",
        )
    )


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        stage=row.stage,
        progress=float(row.progress),
        params=row.params,
        result=row.result,
        error=row.error,
        attempt=row.attempt,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested=row.cancel_requested,
        requested_by=row.requested_by,
    )
