"""Searches of other people while a version is promoted or rolled back, and whether the swap was clean."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field

from rankloop.client import Client


@dataclass(slots=True)
class Traffic:
    """Searches of other people: (began, ended, version) of each, seconds of one monotonic clock."""

    url: str
    queries: list[str]
    repo: str
    seen: list[tuple[float, float, int]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Traffic:
        self._threads = [threading.Thread(target=self._ask, args=(i,), daemon=True) for i in range(4)]
        for thread in self._threads:
            thread.start()
        time.sleep(2.0)
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def until_served_by(self, version: int, enough: int = 12, patience_s: float = 120.0) -> None:
        """Let people go on until ``version`` has answered ``enough`` searches, or patience ends."""
        deadline = time.monotonic() + patience_s
        while sum(s[2] == version for s in self.seen) < enough and time.monotonic() < deadline:
            time.sleep(0.2)

    def _ask(self, offset: int) -> None:
        client = Client(self.url, user="demo-traffic")
        for i in range(offset, 100_000, 4):
            if self._stop.is_set():
                return
            began = time.monotonic()
            try:
                found = client.search(self.queries[i % len(self.queries)], repo=self.repo, depth=50, test=True)
            except Exception as error:  # noqa: BLE001 - whatever fails is what the demonstration must count
                self.failed.append(str(error))
            else:
                self.seen.append((began, time.monotonic(), found.model_version))

    def report(self, old: int, new: int) -> tuple[bool, str]:
        """Whether a query that was in flight at the swap ended on the old version, and none failed or went back."""
        first_new = min((began for began, _, version in self.seen if version == new), default=math.inf)
        crossing = [s for s in self.seen if s[2] == old and s[0] < first_new < s[1]]
        strays = [s for s in self.seen if s[2] not in (old, new)]
        after = [s for s in self.seen if s[0] > first_new]
        said = (
            f"{len(self.seen)} searches during the swap, {len(self.failed)} failed; "
            f"{len(crossing)} were in flight when version {new} took its first search, and finished on version {old}; "
            f"of {len(after)} that began later {sum(s[2] == new for s in after)} were ranked by version {new}"
        )
        clean = bool(crossing) and not self.failed and not strays and all(s[2] == new for s in after) and bool(after)
        return clean, said
