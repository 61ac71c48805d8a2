"""Jobs whose worker died, and clocks that are set."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from store import jobs
from store.database import Database
from store.types import Job, JobKind, JobState, Json
from tests.integration.store.learning import NOW, open_database
from trainer.worker import LEASE, Reporter, Worker, is_dead

NIGHTLY = [JobKind.NIGHTLY]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.dispose()


def queued(db: Database) -> int:
    with db.write() as tx:
        job = jobs.enqueue(tx, JobKind.NIGHTLY, {}, "ada", NOW)
    assert job is not None
    return job.id


def look(db: Database, job_id: int) -> Job:
    with db.read() as tx:
        return jobs.get(tx, job_id)


def worker(db: Database) -> Worker:
    def work(_reporter: Reporter) -> Json:
        return {}

    return Worker(db, {JobKind.NIGHTLY: work}, Event(), lambda: NOW)


def test_a_job_of_a_process_that_is_gone_is_taken_up_without_waiting_for_its_lease(db: Database) -> None:
    mine = worker(db).owner
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    gone = mine.replace(f"-{_pid(mine)}-", f"-{ended.pid}-")
    assert is_dead(gone)
    assert not is_dead(mine), "this process lives"
    assert not is_dead(gone.replace("trainer-", "trainer-elsewhere-")), "another machine's can't be told"
    assert not is_dead("index-0123456789ab")

    first, second = queued(db), queued(db)
    jobs.claim(db, NIGHTLY, gone, LEASE, NOW)
    jobs.claim(db, NIGHTLY, mine, LEASE, NOW)
    assert jobs.abandon(db, is_dead, NOW) == [first]
    again = jobs.claim(db, NIGHTLY, "new", LEASE, NOW)
    assert again is not None
    assert (again.id, again.attempt) == (first, 2)
    assert look(db, second).attempt == 1


def _pid(owner: str) -> str:
    return owner.split("-")[-2]


def test_the_third_death_fails_the_job_and_says_so(db: Database) -> None:
    job = queued(db)
    for attempt in range(jobs.MAX_ATTEMPTS):
        claimed = jobs.claim(db, NIGHTLY, f"dead-{attempt}", LEASE, NOW)
        assert claimed is not None
        jobs.abandon(db, lambda owner: owner.startswith("dead"), NOW)
    assert jobs.claim(db, NIGHTLY, "new", LEASE, NOW) is None
    ended = look(db, job)
    assert ended.state is JobState.FAILED
    assert "died 3 times" in str(ended.error)


def test_a_lease_from_before_the_clock_was_put_back_expires(db: Database) -> None:
    job = queued(db)
    year_ahead = NOW + timedelta(days=365)
    jobs.claim(db, NIGHTLY, "dead", LEASE, year_ahead)
    with db.read() as tx:
        assert [one.id for one in jobs.stranded(tx, NOW)] == [job]
        assert not jobs.stranded(tx, year_ahead)
    again = jobs.claim(db, NIGHTLY, "new", LEASE, NOW)
    assert again is not None
    assert again.id == job


def test_clocks_that_differ_by_minutes_take_no_job_from_each_other(db: Database) -> None:
    queued(db)
    jobs.claim(db, NIGHTLY, "ahead", LEASE, NOW + timedelta(minutes=5))
    assert jobs.claim(db, NIGHTLY, "behind", LEASE, NOW) is None


def test_a_full_disk_is_named_and_fails_the_job(db: Database) -> None:
    job = queued(db)

    def work(_reporter: Reporter) -> Json:
        with open("/dev/full", "w") as full:  # noqa: PTH123 - a device that is always full
            full.write("a model")
        return {}

    assert Worker(db, {JobKind.NIGHTLY: work}, Event(), lambda: NOW).run_one() is not None
    ended = look(db, job)
    assert ended.state is JobState.FAILED
    assert "the disk is full" in str(ended.error)
