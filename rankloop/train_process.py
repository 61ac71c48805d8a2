"""The trainer as a process: one a data directory, and never longer than the server it belongs to."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from types import FrameType

from rankloop.locks import ProcessLock, trainer_lock
from rankloop.pulse import Pulse
from store.settings import Settings
from trainer.main import run

log = logging.getLogger(__name__)

PARENT_POLL_S = 2.0
ORPHAN_GRACE_S = 30.0
"""What an orderly end may take once the parent is gone. A main thread that hangs never ends by itself, and would keep
the lock, and its job running, for ever."""


def run_trainer(settings: Settings, parent: int | None) -> None:
    """Work off jobs until SIGTERM, SIGINT or the end of process ``parent``. Raises Conflict when one runs already."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    if parent is not None:
        threading.Thread(target=_watch_parent, args=(parent, stop), name="parent-watch", daemon=True).start()
    lock = trainer_lock(settings.data)
    with ProcessLock(lock):
        pulse = Pulse(lock)
        pulse.start()
        try:
            run(settings, stop)
        finally:
            pulse.end()


def _watch_parent(parent: int, stop: threading.Event) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    stop.set()
    time.sleep(ORPHAN_GRACE_S)
    log.error("the server is gone, and the trainer has not ended within %.0f s: it is killed", ORPHAN_GRACE_S)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with what it has started
    os._exit(1)
