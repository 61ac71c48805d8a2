"""A trainer that another server left behind: where it hangs, it is in the way of every new one."""

from __future__ import annotations

import logging
from pathlib import Path

import psutil

from rankloop.locks import holder
from rankloop.pulse import Watch, stamp_of

log = logging.getLogger(__name__)


class OtherTrainer:
    """Watches who holds the trainer's lock while trainers of one's own end because of it."""

    def __init__(self, lock: Path) -> None:
        self._lock = lock
        self._seen: tuple[int, Watch] | None = None

    def look(self, patience_s: float) -> None:
        """Kill the holder, and what it has started, once it has been seen without a sign of life for ``patience_s``.

        Only a process of this machine that is a rankloop trainer and has this very lock open.
        """
        pid = (holder(self._lock) or {}).get("pid")
        if not isinstance(pid, int):
            self._seen = None
        elif self._seen is None or self._seen[0] != pid:
            self._seen = (pid, Watch(stamp_of(self._lock)))
        elif (silent := self._seen[1].silent_s()) > patience_s:
            self._kill(pid, silent)

    def _kill(self, pid: int, silent: float) -> None:
        try:
            process = psutil.Process(pid)
            if not _trains_here(process, self._lock):
                return
            log.error("another trainer (process %d) has shown no sign of life for %.0f s: it is killed", pid, silent)
            for one in (*process.children(recursive=True), process):
                one.kill()
        except psutil.Error as error:
            log.warning("the trainer that holds %s can't be looked at or killed: %s", self._lock, error)


def _trains_here(process: psutil.Process, lock: Path) -> bool:
    words = process.cmdline()
    ours = "trainer" in words and any(Path(word).name in ("rankloop", "rankloop.exe") for word in words)
    return ours and any(Path(file.path) == lock.resolve() for file in process.open_files())
