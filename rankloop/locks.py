"""One server and one trainer a data directory: advisory locks that also tell who holds them."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from types import TracebackType

from store.errors import Conflict
from store.private import make_private
from store.types import Json

LOOK_S = 0.5
"""``holder`` has the lock for a moment itself: whoever starts just then must not take it for a second server."""


class ProcessLock:
    """An exclusive ``flock`` on ``path``. The kernel drops it with the process: kill -9 leaves nothing to clean up."""

    def __init__(self, path: Path, **about: str | int) -> None:
        self._path = path
        self._about = about
        self._fd: int | None = None

    def __enter__(self) -> ProcessLock:
        """Take the lock. Raises Conflict naming the holder when another process has it and does not just look."""
        make_private(self._path.parent)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + LOOK_S
        while not _taken(fd):
            if time.monotonic() > until:
                os.close(fd)
                about = holder(self._path) or {}
                raise Conflict(f"{self._path.stem} already runs for {self._path.parent}: process {about.get('pid')}")
            time.sleep(0.02)
        os.ftruncate(fd, 0)
        os.write(fd, json.dumps({"pid": os.getpid(), **self._about}).encode())
        self._fd = fd
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def holder(path: Path) -> Json | None:
    """What the present holder of the lock says of itself (``pid``, ``url``), or None when nobody holds it."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if _taken(fd):
            return None
        about: Json = json.loads(os.read(fd, 4096) or b"{}")
        return about
    finally:
        os.close(fd)


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def server_lock(data: Path) -> Path:
    return data / "server.lock"


def trainer_lock(data: Path) -> Path:
    return data / "trainer.lock"
