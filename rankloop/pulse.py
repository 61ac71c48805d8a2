"""A sign of life that a supervisor can see from outside: the time stamp of a file, renewed while work goes on.

A thread that renewed it by itself would do so beside a main thread that waits for ever; so it looks whether the main
thread, or what it has started, has used the processor since the last time.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

log = logging.getLogger(__name__)

BEAT_S = 2.0
WORKS = 0.05
"""Share of a processor above which others (native threads, a fresh process) work for a main thread that waits."""


class Pulse(threading.Thread):
    """Touches ``file`` every ``BEAT_S`` while the main thread of this process is alive and not stuck."""

    def __init__(self, file: Path) -> None:
        super().__init__(name="pulse", daemon=True)
        self._file = file
        self._ended = threading.Event()
        self._process = psutil.Process()
        self._main = _main_thread_clock()

    def run(self) -> None:
        main = self._main_seconds()
        others: tuple[float, float] | None = None
        """Processor seconds of everything, and when: looked at only where the main thread rests."""
        while not self._ended.wait(BEAT_S):
            before, main = main, self._main_seconds()
            if main != before:
                others = None
                self._touch()
                continue
            then, others = others, (self._all_seconds(), time.monotonic())
            if then is not None and others[0] - then[0] > WORKS * (others[1] - then[1]):
                self._touch()

    def end(self) -> None:
        self._ended.set()

    def _touch(self) -> None:
        try:
            os.utime(self._file)
        except OSError as error:  # a disk that fails for a moment is no hanging
            log.warning("no sign of life: %s", error)

    def _main_seconds(self) -> float:
        return time.process_time() if self._main is None else time.clock_gettime(self._main)

    def _all_seconds(self) -> float:
        used = time.process_time()
        for child in self._process.children(recursive=True):
            try:
                times = child.cpu_times()
            except psutil.Error:
                continue
            used += times.user + times.system
        return used


def _main_thread_clock() -> int | None:
    """The clock of the main thread's processor time; None where the system has none (macOS)."""
    ident = threading.main_thread().ident
    if ident is None or not hasattr(time, "pthread_getcpuclockid"):
        return None
    return time.pthread_getcpuclockid(ident)


class Watch:
    """Whether something still changes: seconds are counted here, so a clock that is set changes nothing."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self._seen = look()
        self._since = time.monotonic()
        self.started = False
        """Whether it has ever changed since this watch began."""

    def silent_s(self) -> float:
        """Seconds since it was last seen to change."""
        seen = self._look()
        if seen != self._seen:
            self._seen, self._since, self.started = seen, time.monotonic(), True
        return time.monotonic() - self._since


def stamp_of(file: Path) -> Callable[[], object]:
    """The file's time stamp, which a ``Pulse`` renews."""

    def look() -> int | None:
        try:
            return file.stat().st_mtime_ns
        except FileNotFoundError:
            return None

    return look


def work_of(pid: int) -> Callable[[], object]:
    """Processor time of a process in tenths of a second: it grows while libraries are loaded, however slowly."""

    def look() -> int | None:
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.Error:
            return None
        return int(10 * (times.user + times.system))

    return look
