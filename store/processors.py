"""How many processors there are to work on."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

GROUPS = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def processors(groups: Path = GROUPS, own: Path = OWN) -> int:
    """Those that this process may use, at least 1.

    On Linux fewer than there are where its affinity leaves some out (``taskset``, ``docker run --cpuset-cpus``) or
    its control groups limit its time (``docker run --cpus``, systemd's ``CPUQuota``): a limit of 1.5 counts as 2.
    """
    if sys.platform != "linux":
        return os.cpu_count() or 1
    return max(1, min([len(os.sched_getaffinity(0)), *(math.ceil(share) for share in quotas(groups, own))]))


def quotas(groups: Path, own: Path) -> Iterator[float]:
    """Each limit on the processor time of the groups that ``own`` names and of those above them, in processors.

    Both versions of control groups below ``groups``. What can't be read limits nothing.
    """
    for place in _places(_read(own)):
        for folder in (place, *place.parents):
            here = groups / folder
            unified = _read(here / "cpu.max").split()
            older = [_read(here / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
            for found in (unified, older):
                share = quota(found)
                if share is not None:
                    yield share


def quota(found: list[str]) -> float | None:
    """Processors of ``[quota, period]``, microseconds each, as the kernel writes them. None: no limit.

    Version 2 (``cpu.max``) says ``max`` where there is none, version 1 (``cpu.cfs_quota_us``) ``-1``.
    """
    try:
        limit, period = (int(one) for one in found)
    except ValueError:
        return None
    return limit / period if limit > 0 and period > 0 else None


def _places(own: str) -> Iterator[PurePosixPath]:
    """Folders of the process's groups below the mount. Each line is ``number:controllers:/path``.

    Inside a container the path is often that of the machine outside, so the mount itself is looked at too.
    """
    yield from (PurePosixPath(), PurePosixPath("cpu"))
    for line in own.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        inside = path.strip("/")
        if ".." in PurePosixPath(inside).parts:
            continue
        if number == "0" and not controllers:
            yield PurePosixPath(inside)
        elif "cpu" in controllers.split(","):
            yield from (PurePosixPath(controllers) / inside, PurePosixPath("cpu") / inside)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
