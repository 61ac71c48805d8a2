"""The trainer beside the server: where it hangs, it is noticed and replaced, and its job goes on to an end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from rankloop import supervise
from rankloop.locks import trainer_lock
from rankloop.supervise import TrainerSupervisor
from store import jobs
from store.settings import process_environment
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


def test_a_trainer_that_a_killed_server_left_stopped_is_replaced(desk: Desk, request: pytest.FixtureRequest) -> None:
    command = [sys.executable, "-m", "rankloop", "trainer"]
    left = subprocess.Popen(command, env=process_environment(desk.environment), start_new_session=True)
    try:
        assert runs(desk) == left.pid
        left.send_signal(signal.SIGSTOP)
        request.getfixturevalue("supervisor")
        assert left.wait(START_S) == -signal.SIGKILL
        assert runs(desk) != left.pid
    finally:
        left.kill()
        left.wait()


HANGS = """
import time
from rankloop import train_process
from store.settings import load_settings

train_process.ORPHAN_GRACE_S = 1.0
train_process.run = lambda settings, stop: time.sleep(600)
train_process.run_trainer(load_settings(), parent=1)
"""


def test_a_trainer_that_hangs_ends_when_its_server_is_gone(desk: Desk) -> None:
    """Its main thread never looks whether it shall stop; process 1 is not its parent."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANGS],
        env=process_environment(desk.environment),
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = process.communicate(timeout=START_S)[1]
    assert process.returncode == -signal.SIGKILL
    assert "the server is gone" in said
    assert trainer_pid(desk) is None
