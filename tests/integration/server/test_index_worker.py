"""The index worker with a real queue: claims, progress, failure, cancellation, an orderly end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from server.indexing import worker as worker_module
from server.indexing.embed import embed_missing
from server.indexing.worker import IndexWorker
from store import chunks, jobs
from store.database import Database
from store.encoder import Encoder
from store.types import Job, JobKind, JobState, Json
from store.vectors import VectorIndex
from tests import tiny


def now() -> datetime:
    return datetime.now(UTC)


def enqueue(db: Database, params: Json) -> int:
    with db.write() as tx:
        job = jobs.enqueue(tx, JobKind.INDEX, params, "tester", now())
    assert job is not None
    return job.id


def wait(db: Database, job_id: int, done: Callable[[Job], bool] = lambda job: job.state.ended) -> Job:
    until = monotonic() + 60
    while monotonic() < until:
        with db.read() as tx:
            job = jobs.get(tx, job_id)
        if done(job):
            return job
        sleep(0.02)
    raise AssertionError(f"job {job_id} is still {job.state} in stage {job.stage}")


@pytest.fixture
def worker(index_db: Database, tiny_encoder: Encoder, vector_index: VectorIndex) -> Iterator[IndexWorker]:
    worker = IndexWorker(index_db, tiny_encoder, vector_index)
    yield worker
    worker.stop()


def fill(folder: Path, files: int) -> Path:
    folder.mkdir()
    for n in range(files):
        (folder / f"f{n}.py").write_text(f"def function_{n}(value):\n    return value * {n}\n")
    return folder


def test_a_job_is_run_and_says_how_far_it_is(index_db: Database, worker: IndexWorker, tmp_path: Path) -> None:
    job_id = enqueue(index_db, {"repo": "shop", "path": str(fill(tmp_path / "shop", 30))})
    worker.start()
    job = wait(index_db, job_id)
    assert (job.state, job.error, job.progress) == (JobState.SUCCEEDED, None, 1.0)
    assert job.result is not None
    assert (job.result["files"], job.result["chunks"], job.result["skipped"]) == (30, 30, {})
    with index_db.read() as tx:
        events = jobs.events(tx, job_id)
        assert chunks.count(tx, "shop") == 30
    assert [e.data["stage"] for e in events if e.type == "stage"] == ["walk", "cut", "embed", "publish", "questions"]
    assert events[-1].data == {"state": "succeeded", "error": None}


@pytest.mark.parametrize(
    ("params", "says"),
    [({"repo": "shop", "path": "/no/such/folder"}, "/no/such/folder"), ({"repo": "shop"}, '"path"')],
)
def test_a_job_that_can_not_be_done_fails_and_the_next_one_runs(
    index_db: Database, worker: IndexWorker, tmp_path: Path, params: Json, says: str
) -> None:
    bad = enqueue(index_db, params)
    good = enqueue(index_db, {"repo": "shop", "path": str(fill(tmp_path / "shop", 1))})
    worker.start()
    failed = wait(index_db, bad)
    assert failed.state is JobState.FAILED
    assert says in (failed.error or "")
    assert wait(index_db, good).state is JobState.SUCCEEDED


def test_a_running_job_can_be_cancelled(index_db: Database, worker: IndexWorker, tmp_path: Path) -> None:
    job_id = enqueue(index_db, {"repo": "shop", "path": str(fill(tmp_path / "shop", 4000))})
    worker.start()
    wait(index_db, job_id, lambda job: job.state is JobState.RUNNING)
    with index_db.write() as tx:
        jobs.request_cancel(tx, job_id, now())
    assert wait(index_db, job_id).state is JobState.CANCELLED


def test_stopping_puts_the_job_back_and_another_worker_finishes_it(
    index_db: Database, worker: IndexWorker, tiny_encoder: Encoder, vector_index: VectorIndex, tmp_path: Path
) -> None:
    job_id = enqueue(index_db, {"repo": "shop", "path": str(fill(tmp_path / "shop", 600))})
    worker.start()
    wait(index_db, job_id, lambda job: job.state is JobState.RUNNING)
    worker.stop()
    assert wait(index_db, job_id, lambda job: job.state is not JobState.RUNNING).state is JobState.QUEUED
    second = IndexWorker(index_db, tiny_encoder, vector_index)
    second.start()
    job = wait(index_db, job_id)
    second.stop()
    assert job.state is JobState.SUCCEEDED
    with index_db.read() as tx:
        assert chunks.count(tx, "shop") == 600
    assert vector_index.count() == 600


def test_what_a_killed_process_left_is_repaired_at_start(
    index_db: Database, worker: IndexWorker, tiny_encoder: Encoder, vector_index: VectorIndex, tmp_path: Path
) -> None:
    job_id = enqueue(index_db, {"repo": "shop", "path": str(fill(tmp_path / "shop", 5))})
    worker.start()
    wait(index_db, job_id)
    worker.stop()
    vector_index.rebuild([])
    second = IndexWorker(index_db, tiny_encoder, vector_index)
    second.start()
    until = monotonic() + 60
    while vector_index.count() < 5 and monotonic() < until:
        sleep(0.02)
    second.stop()
    assert vector_index.count() == 5


def test_another_encoder_embeds_in_slices_that_search_sees_at_once(
    index_db: Database, worker: IndexWorker, vector_index: VectorIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = enqueue(index_db, {"repo": "shop", "path": str(fill(tmp_path / "shop", 25))})
    worker.start()
    wait(index_db, job_id)
    worker.stop()
    other = Encoder.load(str(tiny.encoder(tmp_path / "other", seed=5)))
    vector_index.rebuild([])
    seen: list[int] = []

    def noted(*args: Any, **named: Any) -> int:
        seen.append(vector_index.count())
        return embed_missing(*args, **named)

    monkeypatch.setattr(worker_module, "FIRST_SLICE", 3)
    monkeypatch.setattr(worker_module, "embed_missing", noted)
    second = IndexWorker(index_db, other, vector_index)
    second.start()
    until = monotonic() + 60
    while vector_index.count() < 25 and monotonic() < until:
        sleep(0.02)
    second.stop()
    assert seen == [0, 3, 9, 21]
    assert vector_index.count() == 25
