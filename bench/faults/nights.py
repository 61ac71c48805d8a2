"""One nightly job after the other beside a scenario, and how much of the time one was at work."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from bench.faults.checks import Check
from bench.faults.site import Site
from rankloop.client import Client
from store.errors import Conflict, RankloopError

LOOK_S = 0.2
LEAST = 0.9
"""Share of the looks in which a night must be at work: between two, the trainer looks once a second for the next."""


@dataclass(slots=True)
class Nights(threading.Thread):
    """Starts the nightly job whenever none is open, until ``end``."""

    served: Site
    started: int = 0
    looks: int = 0
    """From the first one on that saw a night at work."""
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
                state = self._state()
                self.at_work += state == "running"
                self.looks += self.at_work > 0
                if state is None:
                    self._start(admin)
                if self._ended.wait(LOOK_S):
                    return

    def _start(self, admin: Client) -> None:
        try:
            admin.start_job("nightly")
            self.started += 1
        except Conflict:
            pass  # one is open by now
        except RankloopError as error:
            self.errors.append(error.message)

    def end(self) -> None:
        self._ended.set()
        self.join(60)

    def check(self) -> Check:
        """That there was a night beside it nearly all the time."""
        seen = f"{self.started} started; at work in {self.at_work} of {self.looks} looks"
        least = f"at work in ≥ {LEAST:.0%}".replace("%", " %")
        return Check("nightly jobs beside it", least, seen, bool(self.looks) and self.at_work >= LEAST * self.looks)

    def _state(self) -> str | None:
        """``queued`` or ``running``; None where none is open."""
        rows = self.served.rows("SELECT state FROM jobs WHERE kind = 'nightly' AND state IN ('queued', 'running')")
        return str(rows[0][0]) if rows else None
