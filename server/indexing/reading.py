"""Reads a file of a repository: a regular one, below its root, whatever has been put in its place since it was listed.

Whoever may commit can put a link to a key where a file was, or a pipe that never ends, between the listing of a folder
and the reading of its files (a ``git pull`` is enough). So a path is opened name by name, and no link is followed.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePosixPath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_below(root: Path, path: str, most: int) -> bytes:
    """Up to ``most`` + 1 bytes of the file at ``path`` (relative, with slashes) below ``root``.

    Raises OSError where there is none, where it is no regular file, or where a link is on the way to it.
    """
    file = _opened(root, PurePosixPath(path).parts)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        whole = b""
        while len(whole) <= most and (piece := os.read(file, most + 1 - len(whole))):
            whole += piece
        return whole
    finally:
        os.close(file)


def _opened(root: Path, names: tuple[str, ...]) -> int:
    if not names or ".." in names or names[0] == "/":
        raise OSError(errno.EINVAL, "no path below the root")
    here = os.open(root, _FOLDER)
    try:
        for name in names[:-1]:
            inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        return os.open(names[-1], _FILE, dir_fd=here)
    finally:
        os.close(here)
