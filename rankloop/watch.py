"""``rankloop index --watch``: looks at the folder again and again, and indexes what has changed once it is quiet.

Looking is the walk that indexing begins with, so both agree on what counts and what is ignored. Nothing is missed
whatever an editor or git does in between: states are compared, not events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from server.indexing.walk import Found, walk
from store.errors import RankloopError
from store.types import Job, JobState, Json

LEAST_PAUSE_S = 1.0
SHARE = 0.05
"""Of the time that looking may take: after a slow look the pause is longer."""
QUIET_S = 0.5
"""Without a change before it is indexed: a checkout or a save of many files is one update."""
LONGEST_S = 10.0
"""After which a folder that never rests is indexed all the same."""

State = Mapping[str, tuple[int, int]]
"""Path → size and time of the last change: what indexing goes by, too."""


@dataclass(frozen=True, slots=True)
class Change:
    """Between two looks, in files."""

    new: int
    changed: int
    gone: int

    def __str__(self) -> str:
        parts = [(self.new, "new"), (self.changed, "changed"), (self.gone, "gone")]
        return ", ".join(f"{count:,} {word}" for count, word in parts if count) + (
            " file" if self.new + self.changed + self.gone == 1 else " files"
        )


def look(folder: Path) -> State:
    """Every file that would be indexed. Raises InvalidInput while the folder is not there."""
    return {one.path: (one.size, one.mtime_ns) for one in walk(folder) if isinstance(one, Found)}


def between(old: State, new: State) -> Change | None:
    """What has changed; None for nothing."""
    both = old.keys() & new.keys()
    change = Change(len(new) - len(both), sum(old[path] != new[path] for path in both), len(old) - len(both))
    return None if change == Change(0, 0, 0) else change


class Watcher:
    """Compares the folder with what was last indexed. ``seen`` is a look taken before that indexing began."""

    def __init__(
        self,
        folder: Path,
        seen: State,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._seen = seen
        self._sleep = sleep
        self._clock = clock
        self._pause = LEAST_PAUSE_S

    def updates(self, index: Callable[[], Job]) -> Iterator[str]:
        """One line for each update, for ever. ``index`` brings the index into step and returns the ended job.

        What can't be indexed now is tried again with the next look; it is told once.
        """
        told = ""
        while True:
            try:
                line = self._update(index)
            except RankloopError as error:
                line = "" if error.message == told else f"not up to date: {error.message}"
                told = error.message
            else:
                told = told if line is None else ""
            if line:
                yield line

    def _update(self, index: Callable[[], Job]) -> str | None:
        self._sleep(self._pause)
        began = self._clock()
        now = look(self._folder)
        self._pause = max(LEAST_PAUSE_S, (self._clock() - began) / SHARE)
        if between(self._seen, now) is None:
            return None
        state = self._settled(now)
        change = between(self._seen, state)
        if change is None:
            return None
        job = index()
        if job.state is not JobState.SUCCEEDED:
            raise RankloopError(f"job {job.id} ended as {job.state}: {job.error or 'no reason was recorded'}")
        self._seen = state
        return f"{datetime.now().astimezone():%H:%M:%S}  {change}: {outcome(job.result or {})}"

    def _settled(self, before: State) -> State:
        """The state after which nothing changed for a while."""
        deadline = self._clock() + LONGEST_S
        while True:
            self._sleep(QUIET_S)
            now = look(self._folder)
            if between(before, now) is None or self._clock() > deadline:
                return now
            before = now


def outcome(result: Json) -> str:
    """What an indexing did, in a few words."""
    added, retired, seconds = (result.get(name) or 0 for name in ("added", "retired", "seconds"))
    return f"{added:,} chunks new, {retired:,} retired, {result.get('chunks', 0):,} in all, {seconds:.1f} s"
