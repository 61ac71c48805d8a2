"""The trainer process beside the server: started, restarted with back-off, stopped with it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time

log = logging.getLogger(__name__)

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
STEADY_S = 60.0
"""A trainer that lived this long starts its back-off anew."""
STOP_GRACE_S = 6.0


class TrainerSupervisor:
    """Keeps one ``rankloop trainer`` alive in a process group of its own until ``stop``."""

    def __init__(self) -> None:
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
            code = self._process.wait()
            if self._stopping.is_set():
                return
            delay = FIRST_DELAY_S if time.monotonic() - started > STEADY_S else min(delay * 2, LONGEST_DELAY_S)
            log.warning("trainer ended with code %d; starting it again in %.0f s", code, delay)
            self._stopping.wait(delay)
