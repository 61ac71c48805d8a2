"""``store.processors``."""

from __future__ import annotations

import subprocess
import sys

import pytest

from store.processors import processors

COUNT = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from store.processors import processors
print(processors())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process be confined from inside")
def test_only_processors_that_the_process_may_use_are_counted() -> None:
    confined = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    assert int(confined.stdout) == 1
    assert processors() >= 1
