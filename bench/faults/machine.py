"""What the machine was like while a scenario ran: a figure without it is worth little."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from store.types import Json

LOOK_S = 3.0
BEAT_S = 0.5
STILL_S = 3.0
"""A sleep that lasts this much longer than asked for: the machine itself stood still (a paused virtual machine)."""


@contextmanager
def watched() -> Iterator[Json]:
    """Fills the given mapping: before the block with what was going on, after it with what happened meanwhile."""
    seen: Json = {
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "load before": round(os.getloadavg()[0], 1),
        "busy before": _busy(),
    }
    ended = threading.Event()
    still: list[float] = []
    watch = threading.Thread(target=_watch, args=(ended, still), daemon=True)
    watch.start()
    try:
        yield seen
    finally:
        ended.set()
        watch.join()
        seen["busy after"] = _busy()
        if still:
            seen["stood still"] = f"{sum(still):.0f} s"


def _busy() -> str:
    """Share of all processors that others use while this scenario does nothing."""
    return f"{psutil.cpu_percent(interval=LOOK_S):.0f} %"


def _watch(ended: threading.Event, still: list[float]) -> None:
    last = time.monotonic()
    while not ended.wait(BEAT_S):
        now = time.monotonic()
        if now - last > BEAT_S + STILL_S:
            still.append(now - last - BEAT_S)
        last = now
