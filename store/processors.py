"""How many processors there are to work on."""

from __future__ import annotations

import os
import sys


def processors() -> int:
    """Those that this process may use, at least 1: a container or ``taskset`` often leaves fewer than there are."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
