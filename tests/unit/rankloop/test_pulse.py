"""A trainer's sign of life: there while it works or waits for work, gone when it is stopped or stuck."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rankloop.pulse import BEAT_S, Watch, stamp_of, work_of

ALIVE = """
import sys, threading, time
from pathlib import Path
from rankloop.pulse import Pulse
Pulse(Path(sys.argv[1])).start()
"""
ENDS = {
    "idle": "while True: time.sleep(0.2)",
    "busy": "while True: sum(range(10_000))",
    "waits for a process at work": "import subprocess; subprocess.run([sys.executable, '-c', 'while True: pass'])",
    "deadlocked": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "waits for a stuck process": "import subprocess; subprocess.run(['sleep', '600'])",
}


@contextmanager
def process(file: Path, ending: str) -> Iterator[subprocess.Popen[bytes]]:
    file.touch()
    started = subprocess.Popen([sys.executable, "-c", ALIVE + ENDS[ending], str(file)], start_new_session=True)
    try:
        yield started
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def beats(file: Path, seconds: float) -> bool:
    """Whether the file is touched within ``seconds``."""
    watch, until = Watch(stamp_of(file)), time.monotonic() + seconds
    while time.monotonic() < until:
        if watch.silent_s() < 0.5 and watch.started:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("ending", ["idle", "busy", "waits for a process at work"])
def test_what_works_or_waits_for_work_beats(tmp_path: Path, ending: str) -> None:
    with process(tmp_path / "lock", ending):
        assert beats(tmp_path / "lock", 60)
        assert beats(tmp_path / "lock", 60), "and goes on"


@pytest.mark.parametrize("ending", ["deadlocked", "waits for a stuck process"])
def test_what_is_stuck_does_not_beat(tmp_path: Path, ending: str) -> None:
    with process(tmp_path / "lock", ending):
        until = time.monotonic() + 60  # starting is work, and takes long on a busy machine
        while beats(tmp_path / "lock", 3 * BEAT_S):
            assert time.monotonic() < until


def test_a_stopped_process_falls_silent_and_beats_again(tmp_path: Path) -> None:
    with process(tmp_path / "lock", "idle") as stopped:
        assert beats(tmp_path / "lock", 60)
        stopped.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        assert not beats(tmp_path / "lock", 3 * BEAT_S)
        stopped.send_signal(signal.SIGCONT)
        assert beats(tmp_path / "lock", 60)


def test_a_watch_counts_from_the_last_beat_it_saw(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    watch = Watch(stamp_of(file))
    assert not watch.started
    file.touch()
    assert watch.silent_s() < 1
    assert watch.started
    time.sleep(0.3)
    assert watch.silent_s() >= 0.3


@pytest.mark.parametrize(("ending", "silent"), [("busy", False), ("waits for a stuck process", True)])
def test_processor_time_tells_what_works_from_what_waits(tmp_path: Path, ending: str, silent: bool) -> None:
    with process(tmp_path / "lock", ending) as started:
        beats(tmp_path / "lock", 3 * BEAT_S)  # starting is work
        watch = Watch(work_of(started.pid))
        until = time.monotonic() + (2 if silent else 60)
        while time.monotonic() < until and (silent or not watch.started):
            watch.silent_s()
            time.sleep(0.1)
        assert watch.started != silent
