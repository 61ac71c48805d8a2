from __future__ import annotations

import numpy as np
import pytest

from store.types import Blend, EvalQuery, Split
from trainer.evaluate import assign_folds, fold_count, rank
from trainer.fit_blend import (
    MIN_QUERIES,
    Choose,
    Dev,
    DevQuery,
    blend_of,
    cross_fit,
    dev_query,
    fit_weight,
    guarded_weight,
    surprise,
)
from trainer.second_opinions import FEWEST, Traffic


def queries(count: int, sign: float, seed: int = 0, first: int = 0) -> list[DevQuery]:
    """Ten candidates; the prior knows nothing, and the logits point at the truth times ``sign``."""
    rng = np.random.default_rng(seed)
    made = []
    for group in range(first, first + count):
        truth = np.zeros(10)
        truth[rng.integers(10)] = 1.0
        made.append(DevQuery(group, rng.normal(size=10), sign * 2 * truth + rng.normal(size=10) * 0.2, truth))
    return made


def test_surprise_is_the_negative_log_likelihood_of_the_truth() -> None:
    one = DevQuery(1, np.array([1.0, 0.0]), np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    assert surprise(Dev([one]), 0.5) == pytest.approx(np.log(np.exp(1.0) + np.exp(1.0)) - 1.0)


def test_useful_logits_get_weight_and_harmful_ones_none() -> None:
    assert fit_weight(Dev(queries(40, +1.0)), unproven=0.5) >= 1.0
    assert fit_weight(Dev(queries(40, -1.0)), unproven=0.5) == 0.0


@pytest.mark.parametrize("choose", [fit_weight, guarded_weight])
def test_too_few_queries_choose_nothing(choose: Choose) -> None:
    assert choose(Dev(queries(MIN_QUERIES - 1, -1.0)), 0.5) == 0.5


def test_zero_logits_get_weight_0() -> None:
    flat = [DevQuery(one.group_id, one.prior, np.zeros(10), one.relevance) for one in queries(20, 1.0)]
    assert fit_weight(Dev(flat), unproven=0.5) == 0.0


def test_the_guard_keeps_1_while_a_smaller_weight_is_not_clearly_better() -> None:
    assert guarded_weight(Dev(queries(40, +1.0)), 1.0) == 1.0
    assert guarded_weight(Dev(queries(40, -1.0)), 1.0) == 0.0
    flat = [DevQuery(one.group_id, one.prior, np.zeros(10), one.relevance) for one in queries(20, 1.0)]
    assert guarded_weight(Dev(flat), 1.0) == 1.0


def test_the_guard_needs_more_than_one_standard_error() -> None:
    """Some lists are helped, some are hurt more: worse on average, and within the noise."""
    mixed = [*queries(20, +0.2, seed=1), *queries(17, -0.2, seed=1)]
    losses = np.array([[surprise(Dev([one]), weight) for weight in (0.0, 1.0)] for one in mixed])
    difference = losses[:, 1] - losses[:, 0]
    assert 0 < difference.mean() < difference.std(ddof=1) / np.sqrt(len(mixed))
    assert fit_weight(Dev(mixed), 1.0) < 1.0
    assert guarded_weight(Dev(mixed), 1.0) == 1.0


@pytest.mark.parametrize("choose", [fit_weight, guarded_weight])
def test_a_fold_s_weight_is_chosen_on_the_others(choose: Choose) -> None:
    made = [*queries(20, +1.0), *queries(20, -1.0, first=20)]
    weights = cross_fit(Dev(made), {one.group_id: one.group_id // 20 for one in made}, 0.5, choose)
    assert weights[0] == 0.0
    assert weights[1] >= 1.0


def asked(again: list[DevQuery], share: float) -> Traffic:
    """Of 100,000 questions so many were about these, as often about each."""
    return Traffic(100_000, {one.group_id: round(100_000 * share / len(again)) for one in again})


@pytest.mark.parametrize("choose", [fit_weight, guarded_weight])
def test_second_opinions_choose_by_the_share_that_they_stand_for(choose: Choose) -> None:
    own, again = queries(40, -0.3), queries(40, +1.0, seed=1)
    plain = choose(Dev(own), 0.5)
    assert plain < 0.5
    assert choose(Dev(own, again, asked(again, 0.0)), 0.5) == plain
    assert choose(Dev(own, (), asked(again, 0.5)), 0.5) == plain
    assert choose(Dev(own, again, asked(again, 0.5)), 0.5) >= 0.75


def test_a_few_second_opinions_choose_nothing() -> None:
    own, again = queries(60, -1.0), queries(FEWEST - 1, +3.0, seed=1)
    assert guarded_weight(Dev(own, again, asked(again, 0.5)), 1.0) == guarded_weight(Dev(own), 1.0) == 0.0


def test_the_mean_over_what_people_ask_and_its_error() -> None:
    made = queries(20, 1.0, first=30)
    dev = Dev(queries(30, 1.0), made, asked(made, 0.25))
    mean, error = dev.mean(lambda one: float(one.group_id))
    own, again = np.arange(30.0), np.arange(30.0, 50.0)
    assert mean == pytest.approx(0.75 * own.mean() + 0.25 * again.mean())
    assert error**2 == pytest.approx(0.75**2 * own.var(ddof=1) / 30 + 0.25**2 * again.var(ddof=1) / 20)


def test_a_fold_s_weight_is_not_chosen_by_second_opinions_about_its_own_groups() -> None:
    own, again = queries(80, -0.3), queries(40, +1.0, seed=1)  # the opinions are about groups 0 to 39
    folds = {one.group_id: one.group_id // 40 for one in own}
    weights = cross_fit(Dev(own, again, asked(again, 0.5)), folds, 0.5, guarded_weight)
    assert weights[0] < 0.75 <= weights[1]


QUERY = EvalQuery(1, "q", Split.TRAIN, ("a", "b"), (0.6, 0.5), (0.0, 1.0), {"b": 1.0})


def test_dev_uses_the_prior_that_training_uses() -> None:
    dev = dev_query(QUERY, np.array([0.0, 3.0]), 20.0, 0.1)
    assert dev is not None
    assert dev.prior.tolist() == pytest.approx([20 * 0.6, 20 * (0.5 + 0.1)])
    hopeless = EvalQuery(1, "q", Split.TRAIN, ("a",), (0.6,), (0.0,), {"b": 1.0})
    assert dev_query(hopeless, np.zeros(1), 20.0, 0.1) is None


def test_weight_0_ranks_as_the_first_stage() -> None:
    blend = blend_of(0.0, 20.0, 0.01)
    assert blend == Blend(dense=20.0, lexical=20.0 * 0.01, rerank=0.0)
    assert rank(QUERY, blend, np.array([0.0, 99.0], dtype=np.float32)).ranking == ("a", "b")
    assert rank(QUERY, blend_of(1.0, 20.0, 0.01), np.array([0.0, 99.0], dtype=np.float32)).ranking == ("b", "a")


def test_folds_keep_groups_whole_and_are_even() -> None:
    folds = assign_folds([*range(100), *range(100)], 5, seed=1)
    assert folds == assign_folds(list(reversed(range(100))), 5, seed=1)
    assert sorted(list(folds.values()).count(fold) for fold in range(5)) == [20] * 5
    assert [fold_count(groups) for groups in (3, 4, 10, 60, 61, 250, 251)] == [0, 2, 5, 5, 3, 3, 2]
