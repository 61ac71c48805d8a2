"""Paired timing: plain call and ours in turn on the same input, so that whatever else the machine does hits both."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TypeVar

import numpy as np

from store.types import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds of the plain call and of ours, one after the other."""

    plain: float
    ours: float

    @property
    def ratio(self) -> float:
        """How many times as fast ours was."""
        return self.plain / self.ours


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Seconds are medians; ``ratio`` is the median of the pairs' ratios, not of the medians."""

    part: str
    what: str
    pairs: int
    plain_s: float | None
    ours_s: float
    ratio: float | None
    quartiles: tuple[float, float] | None
    """Of the ratio."""
    more: Json = field(default_factory=dict)

    def as_json(self) -> Json:
        return asdict(self)


def row(part: str, what: str, pairs: Sequence[Pair], **more: object) -> Row:
    """Raises ValueError without pairs."""
    if not pairs:
        raise ValueError(f"{what}: nothing was timed")
    ratios = [pair.ratio for pair in pairs]
    low, high = (float(np.quantile(ratios, share)) for share in (0.25, 0.75))
    return Row(
        part,
        what,
        len(pairs),
        float(np.median([pair.plain for pair in pairs])),
        float(np.median([pair.ours for pair in pairs])),
        float(np.median(ratios)),
        (low, high),
        dict(more),
    )


def alone(part: str, what: str, seconds: Sequence[float], **more: object) -> Row:
    """What has no plain counterpart."""
    return Row(part, what, len(seconds), None, float(np.median(seconds)), None, None, dict(more))


def timed(call: Callable[[], T], clock: Callable[[], float] = time.perf_counter) -> tuple[float, T]:
    """Seconds and result of one call."""
    start = clock()
    result = call()
    return clock() - start, result


def in_turn(
    plain: Callable[[], T], ours: Mapping[str, Callable[[], T]], clock: Callable[[], float] = time.perf_counter
) -> dict[str, tuple[Pair, T, T]]:
    """Each of ours right after a plain call of its own: name → (times, plain result, our result)."""
    found = {}
    for name, call in ours.items():
        plain_s, want = timed(plain, clock)
        ours_s, have = timed(call, clock)
        found[name] = (Pair(plain_s, ours_s), want, have)
    return found


def either_first(
    number: int, plain: Callable[[], T], ours: Callable[[], T], clock: Callable[[], float] = time.perf_counter
) -> tuple[Pair, T, T]:
    """Both in turn, ours first where ``number`` is odd: (times, plain result, our result)."""
    if number % 2:
        ours_s, have = timed(ours, clock)
        plain_s, want = timed(plain, clock)
    else:
        plain_s, want = timed(plain, clock)
        ours_s, have = timed(ours, clock)
    return Pair(plain_s, ours_s), want, have
