"""One nightly job after the other beside a scenario, and how much of the time one was at work."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from bench.faults.checks import Check
from bench.faults.site import Site
from store.errors import Conflict, RankloopError

LOOK_S = 0.5


@dataclass(slots=True)
class Nights(threading.Thread):
    """Starts the nightly job whenever none is open, until ``end``."""

    served: Site
    started: int = 0
    looks: int = 0
    at_work: int = 0
    errors: list[str] = field(default_factory=list)
    """What the administrator was told, other than that one is open already."""
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        with self.served.client("boss", admin=True) as admin:
            while True:
                try:
                    admin.start_job("nightly")
                    self.started += 1
                except Conflict:
                    pass
                except RankloopError as error:
                    self.errors.append(error.message)
                self.looks += 1
                self.at_work += self._running()
                if self._ended.wait(LOOK_S):
                    return

    def end(self) -> None:
        self._ended.set()
        self.join(60)

    def check(self) -> Check:
        """That there was a night beside it at all."""
        seen = f"{self.started} started; at work in {self.at_work} of {self.looks} looks"
        return Check("nightly jobs beside it", "at work", seen, self.at_work > 0)

    def _running(self) -> bool:
        return bool(self.served.rows("SELECT 1 FROM jobs WHERE kind = 'nightly' AND state = 'running'"))
