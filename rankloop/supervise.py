"""The trainer process beside the server: started, restarted with back-off or when it hangs, stopped with it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from rankloop.other_trainer import OtherTrainer
from rankloop.pulse import Watch, stamp_of, work_of

log = logging.getLogger(__name__)

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
STEADY_S = 60.0
"""A trainer that lived this long starts its back-off anew."""
STOP_GRACE_S = 6.0
HUNG_S = 75.0
"""Without a sign of life for this long, a trainer is killed and started again: stopped, deadlocked, stuck on a disk.
Before the first one, while it loads its libraries, processor time is the sign."""
LOOK_S = 2.0


class TrainerSupervisor:
    """Keeps one ``rankloop trainer`` alive in a process group of its own until ``stop``."""

    def __init__(self, lock: Path) -> None:
        """``lock``: the file that a trainer holds, and touches while it lives."""
        self._lock = lock
        self._other = OtherTrainer(lock)
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._asked_at: float | None = None
        self._thread = threading.Thread(target=self._keep, name="trainer-supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask(self) -> None:
        """Ask the trainer to end, without waiting."""
        self._stopping.set()
        self._asked_at = self._asked_at or time.monotonic()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def stop(self) -> None:
        """Ask the trainer to end, kill it once its grace since it was first asked is over, and wait."""
        self.ask()
        process = self._process
        if process is not None and process.poll() is None:
            try:
                process.wait(max(0.0, (self._asked_at or 0.0) + STOP_GRACE_S - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self._thread.join(STOP_GRACE_S)

    def _keep(self) -> None:
        delay = FIRST_DELAY_S
        while not self._stopping.is_set():
            started = time.monotonic()
            command = [sys.executable, "-m", "rankloop", "trainer", "--parent", str(os.getpid())]
            self._process = subprocess.Popen(command, start_new_session=True)
            code = self._ended(self._process)
            if self._stopping.is_set():
                return
            self._other.look(HUNG_S)
            delay = FIRST_DELAY_S if time.monotonic() - started > STEADY_S else min(delay * 2, LONGEST_DELAY_S)
            log.warning("trainer ended with code %d; starting it again in %.0f s", code, delay)
            self._stopping.wait(delay)

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        """The exit code, once it has ended or has been killed because it hangs."""
        beats, works = Watch(stamp_of(self._lock)), Watch(work_of(process.pid))
        while True:
            try:
                return process.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                silent = beats.silent_s() if beats.started else min(beats.silent_s(), works.silent_s())
            if silent > HUNG_S:
                log.error("the trainer has shown no sign of life for %.0f s: it is killed and started again", silent)
                os.killpg(process.pid, signal.SIGKILL)
