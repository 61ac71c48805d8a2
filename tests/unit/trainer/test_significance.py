from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import InvalidInput
from trainer.significance import bootstrap_interval, differences, needed_groups, power_of, randomisation_test


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_p_of_all_wins_is_the_chance_of_flipping_none() -> None:
    n, rounds = 5, 20_000
    p = randomisation_test([1.0] * n, [0.0] * n, rng(), rounds)
    assert p == pytest.approx(2**-n, abs=4 * (2**-n / rounds) ** 0.5 + 1 / rounds)


def test_p_is_exact_on_a_small_case_worked_by_hand() -> None:
    # Differences 3, 1, -2: flips keep the mean at least as large exactly when the flipped ones sum to <= 0:
    # {}, {-2}, {1, -2} of the 8 subsets.
    rounds = 40_000
    p = randomisation_test([3.0, 1.0, 0.0], [0.0, 0.0, 2.0], rng(), rounds)
    assert p == pytest.approx(3 / 8, abs=4 * (3 / 8 * 5 / 8 / rounds) ** 0.5 + 1 / rounds)


def test_equal_scores_prove_nothing() -> None:
    assert randomisation_test([0.5] * 40, [0.5] * 40, rng()) == 1.0


def test_p_is_never_zero() -> None:
    assert randomisation_test([1.0] * 200, [0.0] * 200, rng(), 999) == 1 / 1000


def test_many_groups_are_drawn_in_blocks_of_bounded_memory() -> None:
    # 20,000 groups leave room for 200 rounds a block: the result must not depend on how rounds were cut.
    delta = np.zeros(20_000)
    delta[:100] = 1.0
    assert randomisation_test(delta, np.zeros(20_000), rng(), 450) == 1 / 451


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20), st.integers(0, 19), st.floats(0, 2))
@settings(max_examples=50)
def test_making_one_score_worse_never_lowers_p(values: list[float], index: int, drop: float) -> None:
    worse = list(values)
    worse[index % len(values)] -= drop
    zeros = [0.0] * len(values)
    assert randomisation_test(worse, zeros, rng(), 500) >= randomisation_test(values, zeros, rng(), 500)


def test_two_arms_that_are_the_same_are_told_apart_in_at_most_five_per_cent() -> None:
    draws, trials, alpha = rng(1), 400, 0.05
    hits = sum(
        randomisation_test(draws.random(60), draws.random(60), rng(trial), 400) < alpha for trial in range(trials)
    )
    assert hits <= trials * alpha + 3 * (trials * alpha * (1 - alpha)) ** 0.5


def test_bootstrap_interval_covers_the_mean_as_often_as_it_says() -> None:
    draws, trials, level = rng(2), 300, 0.9
    covered = 0
    for trial in range(trials):
        low, high = bootstrap_interval(draws.normal(0.3, 1.0, 80), rng(trial), 500, level)
        covered += low <= 0.3 <= high
    assert covered / trials == pytest.approx(level, abs=0.06)


def test_needed_groups_is_the_figure_of_the_design() -> None:
    z_alpha, z_power = 1.6448536269514722, 0.8416212335729143
    assert needed_groups(0.025, 0.22) == ceil(((z_alpha + z_power) * 0.22 / 0.025) ** 2) == 479
    assert power_of(0.025, 0.22, 50) == pytest.approx(0.20, abs=0.005)
    assert power_of(0.025, 0.22, 479) == pytest.approx(0.80, abs=0.001)


def test_a_later_trial_needs_more_groups() -> None:
    assert needed_groups(0.02, 0.2, 0.05 / 3) > needed_groups(0.02, 0.2, 0.05)


@pytest.mark.parametrize(
    ("gain", "sd", "alpha"), [(0.0, 1.0, 0.05), (-0.1, 1.0, 0.05), (0.1, -1.0, 0.05), (0.1, 1, 0.9)]
)
def test_sample_sizes_that_make_no_sense_raise(gain: float, sd: float, alpha: float) -> None:
    with pytest.raises(InvalidInput):
        needed_groups(gain, sd, alpha)


@pytest.mark.parametrize(
    ("a", "b"),
    [([], []), ([1.0], [1.0, 2.0]), ([float("nan")], [1.0]), ([1.0], [float("inf")])],
)
def test_bad_scores_raise(a: list[float], b: list[float]) -> None:
    with pytest.raises(InvalidInput):
        differences(a, b)
    with pytest.raises(InvalidInput):
        randomisation_test(a, b, rng())
