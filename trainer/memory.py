"""The most memory that this process has held so far, by all that it has done since it began."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

PEAK = "process_peak_memory_mb"
"""In a version's metrics and a job's result: the peak of the trainer's process until the version was made."""
_STATUS = Path("/proc/self/status")


def process_peak_mb() -> float:
    """Resident megabytes (2**20 bytes), files' pages included. A trainer that has run jobs before counts them too.

    Linux tells it by itself; ``ru_maxrss`` there is at least what the process held that started this one.
    """
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return float(line.split()[1]) / 1024
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 1024
