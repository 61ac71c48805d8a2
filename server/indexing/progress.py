"""How far a long piece of work is, at what rate, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True, slots=True)
class Progress:
    """``rate`` in items a second and ``seconds_left`` are None until they can be told."""

    stage: str
    done: int
    total: int
    rate: float | None
    seconds_left: float | None


class Meter:
    """Counts the items of one stage and reports each advance."""

    def __init__(self, stage: str, total: int, report: Callable[[Progress], None]) -> None:
        self._stage = stage
        self._total = total
        self._report = report
        self._began = monotonic()
        self.at(0)

    def at(self, done: int) -> None:
        """``done`` items of the stage are done so far."""
        seconds = monotonic() - self._began
        rate = done / seconds if done and seconds > 0 else None
        left = (self._total - done) / rate if rate else None
        self._report(Progress(self._stage, done, max(done, self._total), rate, left))
