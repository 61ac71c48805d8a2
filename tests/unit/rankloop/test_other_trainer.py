"""Who holds the trainer's lock without a sign of life is killed; only where it is a trainer, and of this lock."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rankloop.locks import ProcessLock, holder
from rankloop.other_trainer import OtherTrainer

HOLD = """
import os, sys, time
from pathlib import Path
from rankloop.locks import ProcessLock
path = Path(sys.argv[1])
with ProcessLock(path):
    print("held", flush=True)
    while True:
        time.sleep(0.02)
        if "lives" in sys.argv:
            os.utime(path)
"""
TRAINER = ("rankloop", "trainer")
PATIENCE_S = 0.5


@contextmanager
def held(lock: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(lock), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def looked_at(lock: Path) -> None:
    """Often enough for a holder without a sign of life to be killed."""
    other = OtherTrainer(lock)
    for _ in range(4):
        other.look(PATIENCE_S)
        time.sleep(0.4)


def test_a_silent_trainer_of_this_directory_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "trainer.lock"
    with held(lock, *TRAINER) as process:
        looked_at(lock)
        assert process.wait(10) != 0
    assert holder(lock) is None


def test_one_that_lives_and_one_that_is_no_trainer_are_let_be(tmp_path: Path) -> None:
    others = {"lives": (*TRAINER, "lives"), "serves": ("rankloop", "serve"), "trains something else": ("trainer",)}
    for name, words in others.items():
        lock = tmp_path / f"{name}.lock"
        with held(lock, *words) as process:
            looked_at(lock)
            assert process.poll() is None, name


def test_a_trainer_of_another_directory_is_let_be_whoever_names_it(tmp_path: Path) -> None:
    """The process that is named in the file has another one open: it names a process of another machine, say."""
    lock = tmp_path / "trainer.lock"
    with held(tmp_path / "elsewhere.lock", *TRAINER) as process, ProcessLock(lock):
        lock.write_text(f'{{"pid": {process.pid}}}')
        looked_at(lock)
        assert process.poll() is None


def test_a_new_holder_has_its_own_time(tmp_path: Path) -> None:
    lock = tmp_path / "trainer.lock"
    other = OtherTrainer(lock)
    with held(lock, *TRAINER):
        other.look(PATIENCE_S)
    time.sleep(2 * PATIENCE_S)
    with held(lock, *TRAINER) as second:
        other.look(PATIENCE_S)
        other.look(PATIENCE_S)
        assert second.poll() is None
