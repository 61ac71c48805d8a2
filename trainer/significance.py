"""Paired tests and intervals over per-query differences. Pure numpy; the random generator is passed in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from store.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]
_BLOCK = 4_000_000
"""Random signs drawn at once: bounds memory at about 36 MB."""
_TIE = 1e-12
"""Sums closer than this are ties; ties count against the challenger."""


def differences(a: Sequence[float] | FloatArray, b: Sequence[float] | FloatArray) -> FloatArray:
    """``a - b``, shape ``(n,)``. Raises InvalidInput for empty, unequal, not one-dimensional or not finite input."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise InvalidInput(f"paired scores need the same length, got shapes {first.shape} and {second.shape}")
    if first.size == 0:
        raise InvalidInput("paired scores are empty")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InvalidInput("scores contain NaN or infinity")
    return first - second


def randomisation_test(
    a: Sequence[float] | FloatArray,
    b: Sequence[float] | FloatArray,
    rng: np.random.Generator,
    rounds: int = 10_000,
) -> float:
    """One-sided p value of "a is not better than b on average", by random sign flips of the paired differences.

    Fisher's paired randomisation test as in Smucker, Allan and Carterette, "A comparison of statistical significance
    tests for information retrieval evaluation", CIKM 2007. A flip makes the mean at least as large exactly when the
    flipped differences sum to at most 0, so only that sum is drawn. The observed order counts as one draw (add-one:
    Phipson and Smyth, "Permutation p-values should never be zero", SAGMB 9, 2010), hence p ≥ 1 / (rounds + 1).
    Raises InvalidInput for bad scores or fewer than one round.
    """
    delta = differences(a, b)
    if rounds < 1:
        raise InvalidInput(f"a randomisation test needs at least one round, got {rounds}")
    block = max(1, _BLOCK // delta.size)
    at_least = 0
    for start in range(0, rounds, block):
        flips = rng.integers(0, 2, size=(min(block, rounds - start), delta.size), dtype=np.int8)
        at_least += int((flips @ delta <= _TIE).sum())
    return (at_least + 1) / (rounds + 1)


def bootstrap_interval(
    values: Sequence[float] | FloatArray, rng: np.random.Generator, rounds: int = 5_000, level: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of ``values``, shape ``(n,)``.

    Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7(1), 1979. Raises InvalidInput.
    """
    sample = differences(values, np.zeros(len(values)))
    if not 0 < level < 1 or rounds < 1:
        raise InvalidInput(f"a bootstrap needs a level within (0, 1) and at least one round, got {level}, {rounds}")
    block = max(1, _BLOCK // sample.size)
    means = np.concatenate(
        [
            sample[rng.integers(0, sample.size, size=(min(block, rounds - start), sample.size))].mean(axis=1)
            for start in range(0, rounds, block)
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def needed_groups(gain: float, sd: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Paired queries needed to prove a mean gain one-sided: ``((z_{1-alpha} + z_{power}) * sd / gain)²``, rounded up.

    Cohen, "Statistical power analysis for the behavioral sciences", 1988, ch. 2 (normal approximation).
    Raises InvalidInput unless gain > 0, sd ≥ 0, 0 < alpha < 0.5 and 0.5 ≤ power < 1.
    """
    if not (math.isfinite(gain) and gain > 0 and math.isfinite(sd) and sd >= 0):
        raise InvalidInput(f"a sample size needs a gain above 0 and a deviation not below 0, got {gain} and {sd}")
    if not (0 < alpha < 0.5 and 0.5 <= power < 1):
        raise InvalidInput(f"a sample size needs 0 < alpha < 0.5 and 0.5 <= power < 1, got {alpha} and {power}")
    z = NormalDist().inv_cdf(1 - alpha) + NormalDist().inv_cdf(power)
    return max(1, math.ceil((z * sd / gain) ** 2))


def power_of(gain: float, sd: float, groups: int, alpha: float = 0.05) -> float:
    """Probability that ``groups`` paired queries prove a true mean ``gain``: ``Φ(gain √n / sd - z_{1-alpha})``."""
    if not (math.isfinite(gain) and math.isfinite(sd) and sd > 0) or groups < 1 or not 0 < alpha < 0.5:
        raise InvalidInput(
            "a test's power needs a finite gain, a deviation above 0, at least one query and 0 < alpha < 0.5"
        )
    return NormalDist().cdf(gain * math.sqrt(groups) / sd - NormalDist().inv_cdf(1 - alpha))
