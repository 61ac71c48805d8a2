"""Pooled figures of an arm: both halves as one set of queries, compared with no rerank query by query. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.loop.cells import Cell
from bench.loop.scoring import METRICS, Rank
from trainer.significance import FloatArray, bootstrap_interval, randomisation_test

ROUNDS = 5_000
SEED = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one arm. ``low`` and ``high``: 95 % bootstrap interval of ``gain`` (relative to no rerank)."""

    queries: int
    mean: float
    gain: float
    low: float
    high: float
    difference: tuple[float, float, float]
    """Absolute: mean and its interval."""
    p: float
    """One-sided paired randomisation test of "not better than no rerank"."""


def scores(ranks: Sequence[Rank], metric: str) -> FloatArray:
    """The metric of each query, shape ``(n,)``."""
    return np.array([METRICS[metric](rank) for rank in ranks], dtype=np.float64)


def pooled(cells: Sequence[Cell], kind: str, metric: str) -> FloatArray:
    """Both halves of one arm, in the order of the cells."""
    return np.concatenate([scores(cell.ranks[kind], metric) for cell in cells])


def figure(arm: FloatArray, nothing: FloatArray) -> Figure:
    """Compare an arm with no rerank on the same queries. Raises InvalidInput for unequal or empty scores."""
    rng = np.random.default_rng(SEED)
    p = randomisation_test(arm, nothing, rng)
    low, high = bootstrap_interval(arm - nothing, np.random.default_rng(SEED), ROUNDS)
    mean, before = float(arm.mean()), float(nothing.mean())
    relative = ratio_interval(arm - nothing, nothing)
    return Figure(
        queries=len(arm),
        mean=mean,
        gain=(mean - before) / before if before > 0 else 0.0,
        low=relative[0],
        high=relative[1],
        difference=(mean - before, low, high),
        p=p,
    )


def ratio_interval(above: FloatArray, below: FloatArray, rounds: int = ROUNDS) -> tuple[float, float]:
    """95 % percentile bootstrap interval of ``mean(above) / mean(below)``; queries are drawn together for both."""
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(above), size=(rounds, len(above)))
    top, bottom = above[drawn].mean(axis=1), below[drawn].mean(axis=1)
    ratios = np.divide(top, bottom, out=np.full(rounds, np.nan), where=bottom != 0)
    if np.isnan(ratios).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(ratios, [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Share:
    """Part of the oracle's gain that an arm reaches."""

    share: float
    low: float
    high: float


def share_of(arm: FloatArray, oracle: FloatArray, nothing: FloatArray) -> Share | None:
    """None where the 95 % interval of the oracle's own gain holds 0: a share of what may be nothing says nothing."""
    gained = float((oracle - nothing).mean())
    least, _ = bootstrap_interval(oracle - nothing, np.random.default_rng(SEED), ROUNDS)
    if least <= 0:
        return None
    low, high = ratio_interval(arm - nothing, oracle - nothing)
    return Share(float((arm - nothing).mean()) / gained, low, high)


Decided = Literal["reached", "in the mean, not proven", "not reached"]


@dataclass(frozen=True, slots=True)
class Against:
    """An arm against another on the same queries, and whether it gains more than so many times as much. Absolute."""

    difference: tuple[float, float, float]
    """arm - other: mean and its 95 % interval."""
    p: float
    """One-sided, of "not better than the other"."""
    beyond: tuple[float, float, float]
    """The arm's gain less ``times`` the other's (no gain counts 0 there, not less): mean and interval."""

    @property
    def decided(self) -> Decided:
        if self.difference[1] > 0 and self.beyond[1] > 0:
            return "reached"
        return "in the mean, not proven" if self.difference[0] > 0 and self.beyond[0] > 0 else "not reached"


def against(arm: FloatArray, other: FloatArray, nothing: FloatArray, times: float = 2.0) -> Against:
    """Raises InvalidInput for unequal or empty scores."""
    compared = figure(arm, other)
    wanted = times if float((other - nothing).mean()) > 0 else 0.0
    beyond = (arm - nothing) - wanted * (other - nothing)
    low, high = bootstrap_interval(beyond, np.random.default_rng(SEED), ROUNDS)
    return Against(compared.difference, compared.p, (float(beyond.mean()), low, high))


def by_arm(cells: Sequence[Cell]) -> Mapping[tuple[str, int], list[Cell]]:
    """(arm, wrong votes) → its cells, by fold."""
    found: dict[tuple[str, int], list[Cell]] = {}
    for cell in sorted(cells, key=lambda one: one.key.name):
        found.setdefault((cell.key.arm, cell.key.wrong), []).append(cell)
    return found
