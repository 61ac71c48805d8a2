"""The trainer beside the server: where it hangs, it is noticed and replaced, and its job goes on to an end."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from rankloop import supervise
from rankloop.locks import trainer_lock
from rankloop.supervise import TrainerSupervisor
from store import jobs
from store.types import JobKind, JobState
from tests.integration.rankloop.conftest import Desk
from tests.integration.rankloop.test_serve_process import START_S, alive, eventually, trainer_pid
from trainer.worker import LEASE


@pytest.fixture
def supervisor(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainerSupervisor]:
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(supervise, "HUNG_S", 8.0)
    monkeypatch.setattr(supervise, "LOOK_S", 0.5)
    kept = TrainerSupervisor(trainer_lock(desk.data))
    kept.start()
    yield kept
    kept.stop()


def runs(desk: Desk) -> int:
    eventually(lambda: trainer_pid(desk) is not None, START_S)
    found = trainer_pid(desk)
    assert found is not None
    return found


@pytest.mark.usefixtures("supervisor")
def test_a_trainer_that_hangs_is_replaced_and_its_job_is_taken_up(desk: Desk) -> None:
    first = runs(desk)
    os.kill(first, signal.SIGSTOP)
    now, db = datetime.now(UTC), desk.database()
    with db.write() as tx:
        job = jobs.enqueue(tx, JobKind.NIGHTLY, {"recipe": "no such recipe"}, "ann", now)
    assert job is not None
    owner = f"trainer-{socket.gethostname()[:32]}-{first}-0123"  # what the stopped one would have claimed it as
    assert jobs.claim(db, [JobKind.NIGHTLY], owner, LEASE, now) is not None

    def ended() -> bool:
        with db.read() as tx:
            return jobs.get(tx, job.id).state.ended

    eventually(ended, START_S)
    with db.read() as tx:
        taken_up = jobs.get(tx, job.id)
    assert (taken_up.state, taken_up.attempt) == (JobState.FAILED, 2)
    assert "no such recipe" in str(taken_up.error)
    assert not alive(first)
    assert runs(desk) != first
    db.dispose()
