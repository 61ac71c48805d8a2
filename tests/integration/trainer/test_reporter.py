from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import pytest

from store import jobs
from store.types import JobKind
from tests.integration.store.learning import NOW, open_database
from trainer.worker import Reporter


def test_a_busy_database_costs_a_progress_line_and_not_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.BUSY_SECONDS", 0.05)
    db = open_database(tmp_path)
    with db.write() as tx:
        job = jobs.enqueue(tx, JobKind.NIGHTLY, {}, "ann", NOW)
    assert job is not None
    reporter = Reporter(db, job, lambda: False, lambda: NOW)
    held, enough = Event(), Event()

    def hold() -> None:
        with db.write():
            held.set()
            enough.wait(10)

    other = Thread(target=hold)
    other.start()
    assert held.wait(10)
    try:
        reporter.progress(0.5, {"pairs": 1})
    finally:
        enough.set()
        other.join()
    with db.read() as tx:
        assert jobs.get(tx, job.id).progress == 0
        assert jobs.events(tx, job.id) == []
    monkeypatch.setattr("trainer.worker.EVENT_SECONDS", 0.0)
    reporter.progress(0.6, {"pairs": 2})
    with db.read() as tx:
        assert [event.data["pairs"] for event in jobs.events(tx, job.id)] == [2]
    db.dispose()
