from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from store import jobs
from store.database import Database
from store.errors import Conflict, NotFound
from store.types import Job, JobKind, JobState
from tests.integration.store.learning import NOW, open_database

LEASE = timedelta(seconds=30)
LATER = NOW + 2 * LEASE
NIGHTLY = [JobKind.NIGHTLY]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.dispose()


def queue(db: Database, kind: JobKind = JobKind.NIGHTLY, due: str | None = None) -> Job | None:
    with db.write() as tx:
        return jobs.enqueue(tx, kind, {"a": 1}, "ada", NOW, due)


def queued(db: Database, kind: JobKind = JobKind.NIGHTLY) -> Job:
    job = queue(db, kind)
    assert job is not None
    return job


def state(db: Database, job: Job) -> Job:
    with db.read() as tx:
        return jobs.get(tx, job.id)


def test_a_due_date_is_queued_once(db: Database) -> None:
    first = queue(db, due="nightly:2026-11-21")
    assert first is not None
    assert queue(db, due="nightly:2026-11-21") is None
    assert queue(db, due="nightly:2026-11-22") is not None
    assert jobs.claim(db, NIGHTLY, "w", LEASE, NOW) is not None
    with db.write() as tx:
        jobs.finish(tx, first.id, JobState.FAILED, None, "x", NOW, owner="w")
    assert queue(db, due="nightly:2026-11-21") is None


def test_claim_takes_the_oldest_of_its_kinds(db: Database) -> None:
    queued(db, JobKind.INDEX)
    first, second = queued(db), queued(db)
    claimed = [jobs.claim(db, NIGHTLY, f"w{i}", LEASE, NOW) for i in range(3)]
    assert [job and job.id for job in claimed] == [first.id, second.id, None]
    assert claimed[0] is not None
    assert (claimed[0].state, claimed[0].attempt, claimed[0].started_at) == (JobState.RUNNING, 1, NOW)


def test_eight_threads_take_each_job_once(db: Database) -> None:
    ids = [queued(db).id for _ in range(40)]

    def work(number: int) -> list[int]:
        taken = []
        while (job := jobs.claim(db, NIGHTLY, f"worker-{number}", LEASE, NOW)) is not None:
            taken.append(job.id)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [job_id for part in pool.map(work, range(8)) for job_id in part]
    assert sorted(taken) == ids


def test_an_expired_lease_is_taken_again_and_the_old_owner_is_out(db: Database) -> None:
    job = queued(db)
    jobs.claim(db, NIGHTLY, "dead", LEASE, NOW)
    assert jobs.claim(db, NIGHTLY, "new", LEASE, NOW + LEASE / 2) is None
    again = jobs.claim(db, NIGHTLY, "new", LEASE, LATER)
    assert again is not None
    assert (again.id, again.attempt, again.started_at) == (job.id, 2, NOW)
    assert jobs.heartbeat(db, job.id, "dead", LEASE, LATER) == jobs.HeartbeatResult(False, False)
    with db.write() as tx, pytest.raises(Conflict, match="another worker"):
        jobs.finish(tx, job.id, JobState.SUCCEEDED, {}, None, LATER, owner="dead")
    with db.write() as tx:
        done = jobs.finish(tx, job.id, JobState.SUCCEEDED, {"version": 3}, None, LATER, owner="new")
    assert (done.state, done.result, done.progress, done.finished_at) == (
        JobState.SUCCEEDED,
        {"version": 3},
        1.0,
        LATER,
    )


def test_a_heartbeat_keeps_the_lease(db: Database) -> None:
    job = queued(db)
    jobs.claim(db, NIGHTLY, "w", LEASE, NOW)
    assert jobs.heartbeat(db, job.id, "w", LEASE, NOW + LEASE).alive
    assert jobs.claim(db, NIGHTLY, "x", LEASE, NOW + LEASE + LEASE / 2) is None


def test_a_job_whose_worker_keeps_dying_fails(db: Database) -> None:
    job = queued(db)
    for attempt in range(jobs.MAX_ATTEMPTS):
        claimed = jobs.claim(db, NIGHTLY, f"w{attempt}", LEASE, NOW + attempt * 2 * LEASE)
        assert claimed is not None
        assert claimed.attempt == attempt + 1
    assert jobs.claim(db, NIGHTLY, "last", LEASE, NOW + 100 * LEASE) is None
    failed = state(db, job)
    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert str(jobs.MAX_ATTEMPTS) in failed.error


def test_cancelling_a_waiting_job_ends_it(db: Database) -> None:
    job = queued(db)
    with db.write() as tx:
        assert jobs.request_cancel(tx, job.id, NOW).state is JobState.CANCELLED
        assert jobs.request_cancel(tx, job.id, NOW).state is JobState.CANCELLED
    assert jobs.claim(db, NIGHTLY, "w", LEASE, NOW) is None


def test_cancelling_a_running_job_asks_its_worker(db: Database) -> None:
    job = queued(db)
    jobs.claim(db, NIGHTLY, "w", LEASE, NOW)
    with db.write() as tx:
        assert jobs.request_cancel(tx, job.id, NOW).state is JobState.RUNNING
    assert jobs.heartbeat(db, job.id, "w", LEASE, NOW) == jobs.HeartbeatResult(True, True)
    with db.write() as tx:
        jobs.finish(tx, job.id, JobState.CANCELLED, None, None, NOW, owner="w")
    with db.write() as tx, pytest.raises(Conflict):
        jobs.finish(tx, job.id, JobState.SUCCEEDED, None, None, NOW, owner="w")


def test_a_cancelled_job_of_a_dead_worker_is_not_taken_again(db: Database) -> None:
    job = queued(db)
    jobs.claim(db, NIGHTLY, "dead", LEASE, NOW)
    with db.write() as tx:
        jobs.request_cancel(tx, job.id, NOW)
    assert jobs.claim(db, NIGHTLY, "new", LEASE, LATER) is None
    assert state(db, job).state is JobState.CANCELLED


def test_an_ended_job_cannot_be_cancelled(db: Database) -> None:
    job = queued(db)
    jobs.claim(db, NIGHTLY, "w", LEASE, NOW)
    with db.write() as tx:
        jobs.finish(tx, job.id, JobState.FAILED, None, "no", NOW, owner="w")
    with db.write() as tx, pytest.raises(Conflict, match="failed"):
        jobs.request_cancel(tx, job.id, NOW)


def test_release_puts_back_without_counting_the_attempt(db: Database) -> None:
    job = queued(db)
    jobs.claim(db, NIGHTLY, "w", LEASE, NOW)
    assert jobs.release(db, "other") == 0
    assert jobs.release(db, "w") == 1
    again = jobs.claim(db, NIGHTLY, "x", LEASE, NOW)
    assert again is not None
    assert (again.id, again.attempt) == (job.id, 1)


def test_progress_and_events_are_read_back(db: Database) -> None:
    job = queued(db)
    with db.write() as tx:
        jobs.progress(tx, job.id, "too early", 0.5)
    assert state(db, job).stage == "queued"
    jobs.claim(db, NIGHTLY, "w", LEASE, NOW)
    with db.write() as tx:
        jobs.progress(tx, job.id, "finetune", 0.25)
        for step in range(3):
            jobs.event(tx, job.id, "progress", {"step": step}, NOW)
    assert (state(db, job).stage, state(db, job).progress) == ("finetune", 0.25)
    with db.read() as tx:
        lines = jobs.events(tx, job.id, 0, 2)
        assert [line.data for line in lines] == [{"step": 0}, {"step": 1}]
        assert [line.data for line in jobs.events(tx, job.id, lines[-1].id, 10)] == [{"step": 2}]


def test_unknown_job(db: Database) -> None:
    with db.read() as tx, pytest.raises(NotFound):
        jobs.get(tx, 7)


def test_list_is_latest_first_and_by_kind(db: Database) -> None:
    index, nightly = queued(db, JobKind.INDEX), queued(db)
    with db.read() as tx:
        assert [job.id for job in jobs.list_all(tx)] == [nightly.id, index.id]
        assert [job.id for job in jobs.list_all(tx, JobKind.INDEX)] == [index.id]
