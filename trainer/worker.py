"""Claim jobs, run them in this process, keep their lease alive, and end each with a clear result."""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Event, Thread

import psutil

from store import jobs
from store.database import Database
from store.errors import Busy, Cancelled, Conflict, RankloopError
from store.types import Job, JobKind, JobState, Json

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
BEAT_SECONDS = 2.0
"""Between heartbeats: also how soon a wish to cancel is seen."""
EVENT_SECONDS = 1.0
"""Between two progress events of one stage."""
CLOSE_UP = 50
"""Training steps that are written however fast they come."""


class Reporter:
    """What a running job says of itself, and how it learns that it should stop."""

    def __init__(self, db: Database, job: Job, stopped: Callable[[], bool], clock: Callable[[], datetime]) -> None:
        self.job = job
        self._db = db
        self._stopped = stopped
        self._clock = clock
        self._stage = ""
        self._said = 0.0
        self._steps = 0

    def cancelled(self) -> bool:
        return self._stopped()

    def check(self) -> None:
        """Raises Cancelled when the job should stop."""
        if self._stopped():
            raise Cancelled("the job was asked to stop")

    def stage(self, name: str, fraction: float, data: Json | None = None) -> None:
        """Enter a stage; ``fraction`` is the share of the whole job that is done. Raises Cancelled."""
        self.check()
        self._stage = name
        self._write("stage", fraction, data or {})

    def progress(self, fraction: float, data: Json) -> None:
        """Progress within the stage, written at most once a second; not at all while the database is busy.

        The first training steps are written as they come: a fit that takes a second would show no curve.
        """
        close_up = "loss" in data and self._steps < CLOSE_UP
        if not close_up and time.monotonic() - self._said < EVENT_SECONDS:
            return
        self._steps += close_up
        try:
            self._write("progress", fraction, data)
        except Busy as busy:
            logger.warning("a progress line of job %s was not written: %s", self.job.id, busy.message)

    def note(self, message: str) -> None:
        """A line for people in the job's log."""
        with self._db.write() as tx:
            jobs.event(tx, self.job.id, "log", {"message": message}, self._clock())

    def _write(self, kind: str, fraction: float, data: Json) -> None:
        self._said = time.monotonic()
        with self._db.write() as tx:
            jobs.progress(tx, self.job.id, self._stage, fraction)
            jobs.event(tx, self.job.id, kind, {"stage": self._stage, "progress": fraction, **data}, self._clock())


Handler = Callable[[Reporter], Json]


def _here() -> str:
    return f"trainer-{socket.gethostname()[:32]}-"


def is_dead(owner: str) -> bool:
    """Whether ``owner`` is a trainer of this machine whose process is gone; False for whatever can't be told."""
    pid = owner.removeprefix(_here()).partition("-")[0]
    return owner.startswith(_here()) and pid.isdigit() and not psutil.pid_exists(int(pid))


class Worker:
    """Runs one job at a time. ``owner`` is unique to this worker's lifetime."""

    def __init__(
        self, db: Database, handlers: Mapping[JobKind, Handler], stop: Event, clock: Callable[[], datetime]
    ) -> None:
        self.owner = f"{_here()}{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._db = db
        self._handlers = handlers
        self._ending = stop
        self._clock = clock

    def run_one(self) -> Job | None:
        """Claim a job and run it to its end; None when there is none to claim."""
        job = jobs.claim(self._db, tuple(self._handlers), self.owner, LEASE, self._clock())
        if job is None:
            return None
        beat = _Heartbeat(self._db, job.id, self.owner, self._ending, self._clock)
        beat.start()
        try:
            state, result, error = self._run(job, beat)
        finally:
            beat.end()
        if beat.lost:
            logger.warning("job %s was taken up by another worker; its result here is dropped", job.id)
        elif state is None:
            jobs.release(self._db, self.owner)
        else:
            self._finish(job, state, result, error)
        return job

    def _run(self, job: Job, beat: _Heartbeat) -> tuple[JobState | None, Json | None, str | None]:
        """(state, result, error); state None when the process is ending and the job should be taken up again."""
        reporter = Reporter(self._db, job, beat.should_stop, self._clock)
        try:
            return JobState.SUCCEEDED, self._handlers[job.kind](reporter), None
        except Cancelled:
            if beat.cancel_requested:
                return JobState.CANCELLED, None, "cancelled on request"
            return None, None, None
        except RankloopError as error:
            return JobState.FAILED, None, error.message
        except OSError as error:
            logger.exception("job %s failed", job.id)
            return JobState.FAILED, None, _of_the_disk(error)
        except Exception as error:  # the job runner's edge
            logger.exception("job %s failed", job.id)
            return JobState.FAILED, None, f"{type(error).__name__}: {error} (details are in the trainer's log)"

    def _finish(self, job: Job, state: JobState, result: Json | None, error: str | None) -> None:
        try:
            with self._db.write() as tx:
                now = self._clock()
                jobs.event(tx, job.id, "end", {"state": state.value, "error": error}, now)
                jobs.finish(tx, job.id, state, result, error, now, owner=self.owner)
        except Conflict as conflict:
            logger.warning("%s", conflict.message)


def _of_the_disk(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: free some space, then start the job again; the champion is unchanged"
    return f"{error} (details are in the trainer's log)"


class _Heartbeat(Thread):
    """Keeps a job's lease alive beside the work, and listens for a wish to cancel."""

    def __init__(self, db: Database, job_id: int, owner: str, stop: Event, clock: Callable[[], datetime]) -> None:
        super().__init__(name=f"heartbeat-{job_id}", daemon=True)
        self._db = db
        self._job_id = job_id
        self._owner = owner
        self._ending = stop
        self._clock = clock
        self._ended = Event()
        self.cancel_requested = False
        self.lost = False

    def should_stop(self) -> bool:
        return self.cancel_requested or self.lost or self._ending.is_set()

    def run(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            try:
                answer = jobs.heartbeat(self._db, self._job_id, self._owner, LEASE, self._clock())
            except RankloopError as error:
                logger.warning("heartbeat of job %s: %s", self._job_id, error.message)
                continue
            self.lost = self.lost or not answer.alive
            self.cancel_requested = self.cancel_requested or answer.cancel_requested
            if self.lost:
                return

    def end(self) -> None:
        self._ended.set()
        self.join(timeout=30)
