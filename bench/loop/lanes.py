"""Two lanes: each half of the questions in a process of its own, on a core of its own.

One model on one core wastes nothing on cores that wait for each other, so two halves side by side take less time than
one after the other on both cores. A lane has copies of what it writes; what was made for both is linked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bench.loop.cells import FOLDS
from store.errors import RankloopError
from store.processors import processors
from store.settings import process_environment

_OWN = ("index", "lists.json", "indexed")
_SHARED = ("features", "bases", "code")
_STOPPING_S = 60


def usual() -> int:
    """As many lanes as there are halves, where each can have a core."""
    return len(FOLDS) if hasattr(os, "sched_setaffinity") and processors() >= len(FOLDS) else 1


def lane(root: Path, fold: str) -> Path:
    """The lane's work folder, made from what was prepared below ``root``; one that is there goes on."""
    place = root / f"lane-{fold}"
    place.mkdir(exist_ok=True)
    for name in _OWN:
        if not (place / name).exists():
            part = place / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            (shutil.copytree if (root / name).is_dir() else shutil.copy2)(root / name, part)
            part.rename(place / name)
    for name in _SHARED:
        if not (place / name).is_symlink():
            (place / name).symlink_to((root / name).resolve(), target_is_directory=True)
    return place


def run_lanes(root: Path, arguments: Sequence[str]) -> None:
    """One process a half, until all have ended. ``arguments``: of ``bench.loop``, the last of equal ones counts.

    Raises RankloopError where one fails. However this ends, no lane goes on.
    """
    cores = sorted(os.sched_getaffinity(0))
    running = []
    for place, fold in enumerate(FOLDS):
        own = ["--work", str(lane(root, fold)), "--folds", fold, "--lanes", "1"]
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.loop", *arguments, *own],
            env=process_environment({"OMP_NUM_THREADS": "1"}),
        )
        os.sched_setaffinity(process.pid, {cores[place]})
        running.append(process)
    ended = []
    try:
        ended = [process.wait() for process in running]
    except KeyboardInterrupt:  # the terminal told the lanes too: they stop their servers
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOPPING_S)
        raise
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
    if any(ended):
        raise RankloopError(f"lanes ended with {', '.join(map(str, ended))}; what they finished is kept")
