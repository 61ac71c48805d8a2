"""The thread of the server that runs index jobs: the process that owns the vector index is the only one to write it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from uuid import uuid4

from server.indexing.embed import embed_missing
from server.indexing.ingest import ingest, summary
from server.indexing.progress import Progress
from server.indexing.recover import InStep
from store import jobs
from store.database import Database
from store.encoder import Encoder
from store.errors import Cancelled, Conflict, InvalidInput, RankloopError
from store.types import Job, JobKind, JobState, Json
from store.vectors import VectorIndex

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
_POLL = 0.5
FIRST_SLICE = 2048
"""Texts that are embedded after a start before search is told."""
_HEARTBEAT = 2.0
_REPORT = 0.5  # seconds between two written progress lines of one stage

_SHARES = {
    "walk": (0.0, 0.02),
    "cut": (0.02, 0.2),
    "embed": (0.2, 0.93),
    "publish": (0.93, 0.97),
    "questions": (0.97, 1.0),
}
"""Each stage's part of the whole job, for its progress bar."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class IndexWorker:
    """Claims index jobs (params ``repo`` and ``path``) one after another until stopped.

    ``vectors`` None: only what is in SQL is brought up to date; whoever opens a vector index fills it from there.
    ``indexed`` is called with the repository's name after each job that changed the index.
    """

    def __init__(
        self,
        db: Database,
        encoder: Encoder,
        vectors: VectorIndex | None,
        *,
        now: Callable[[], datetime] = utc_now,
        indexed: Callable[[str], None] | None = None,
        leave_out_secrets: bool = True,
    ) -> None:
        self._db = db
        self._encoder = encoder
        self._vectors = vectors
        self._now = now
        self._indexed = indexed
        self._leave_out_secrets = leave_out_secrets
        self._owner = f"index-{uuid4().hex[:12]}"
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="index-worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Stop between two batches; a job under way goes back to the queue and is taken up at the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        self._guarded(self._repair)
        while not self._stopping.is_set():
            if not self._guarded(self._next):
                self._stopping.wait(_POLL)

    def _guarded(self, step: Callable[[], bool]) -> bool:
        """The thread outlives a busy database or a full disk."""
        try:
            return step()
        except Exception:  # the job runner's edge
            log.exception("the index worker failed; it goes on in %s s", _POLL)
            return False

    def _repair(self) -> bool:
        """Finish what a killed process left, or another encoder lacks: vectors, then the vector index.

        In slices, each twice the one before: what is embedded is found by search long before the last of it is.
        """
        most = FIRST_SLICE
        try:
            while True:
                with InStep(self._db, self._vectors, self._encoder):
                    made = embed_missing(self._db, self._encoder, lambda _: None, self._stopping.is_set, most=most)
                if made < most:
                    return True
                most *= 2
        except Cancelled:
            return False

    def _next(self) -> bool:
        job = jobs.claim(self._db, [JobKind.INDEX], self._owner, LEASE, self._now())
        if job is None:
            return False
        stop = _Watch(self._db, job.id, self._owner, self._now, self._stopping)
        try:
            self._finish(job, *self._work(job, stop))
        except Cancelled as error:
            if self._stopping.is_set():
                jobs.release(self._db, self._owner)
            else:
                self._finish(job, JobState.CANCELLED, None, error.message)
        finally:
            stop.close()
        return True

    def _work(self, job: Job, stop: _Watch) -> tuple[JobState, Json | None, str | None]:
        try:
            repo, path = _params(job)
            result = ingest(
                self._db,
                self._encoder,
                self._vectors,
                repo,
                Path(path),
                self._now,
                _Reporter(self._db, job.id, self._now),
                stop.asked,
                leave_out_secrets=self._leave_out_secrets,
            )
            if self._indexed is not None:
                self._indexed(repo)
            return JobState.SUCCEEDED, dict(summary(result, path)), None
        except Cancelled:
            raise
        except RankloopError as error:
            return JobState.FAILED, None, error.message
        except Exception as error:  # the job runner's edge
            log.exception("index job %s failed", job.id)
            return JobState.FAILED, None, f"{type(error).__name__}: {error}"

    def _finish(self, job: Job, state: JobState, result: Json | None, error: str | None) -> None:
        try:
            with self._db.write() as tx:
                ended = jobs.finish(tx, job.id, state, result, error, self._now(), owner=self._owner)
                jobs.event(tx, job.id, "end", {"state": ended.state.value, "error": error}, self._now())
        except Conflict as lost:
            log.warning("%s", lost.message)


def _params(job: Job) -> tuple[str, str]:
    repo, path = job.params.get("repo"), job.params.get("path")
    if not isinstance(repo, str) or not isinstance(path, str):
        raise InvalidInput('an index job needs "repo" and "path"')
    return repo, path


class _Watch:
    """Keeps a job's lease and knows whether to stop: cancelled, lost to another worker, or the server ends."""

    def __init__(self, db: Database, job_id: int, owner: str, now: Callable[[], datetime], stopping: Event) -> None:
        self._beat = partial(jobs.heartbeat, db, job_id, owner, LEASE)
        self._now = now
        self._stopping = stopping
        self._asked = Event()
        self._over = Event()
        self._thread = Thread(target=self._run, name=f"index-heartbeat-{job_id}", daemon=True)
        self._thread.start()

    def asked(self) -> bool:
        return self._asked.is_set() or self._stopping.is_set()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_HEARTBEAT):
            try:
                result = self._beat(self._now())
            except RankloopError as error:
                log.warning("heartbeat: %s", error.message)
                continue
            if result.cancel_requested or not result.alive:
                self._asked.set()


class _Reporter:
    """Writes a job's progress, not more often than a person can read it."""

    def __init__(self, db: Database, job_id: int, now: Callable[[], datetime]) -> None:
        self._db = db
        self._job_id = job_id
        self._now = now
        self._stage = ""
        self._written = 0.0

    def __call__(self, progress: Progress) -> None:
        changed = progress.stage != self._stage
        if not changed and monotonic() - self._written < _REPORT:
            return
        self._stage, self._written = progress.stage, monotonic()
        low, high = _SHARES[progress.stage]
        share = progress.done / progress.total if progress.total else 0.0
        with self._db.write() as tx:
            jobs.progress(tx, self._job_id, progress.stage, low + (high - low) * share)
            jobs.event(tx, self._job_id, "stage" if changed else "progress", asdict(progress), self._now())
