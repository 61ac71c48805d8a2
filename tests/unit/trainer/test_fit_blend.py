from __future__ import annotations

import numpy as np
import pytest

from store.types import Blend, EvalQuery, Split
from trainer.evaluate import assign_folds, fold_count, rank
from trainer.fit_blend import (
    MIN_QUERIES,
    Choose,
    DevQuery,
    blend_of,
    cross_fit,
    dev_query,
    fit_weight,
    guarded_weight,
    surprise,
)


def queries(count: int, sign: float, seed: int = 0) -> list[DevQuery]:
    """Ten candidates; the prior knows nothing, and the logits point at the truth times ``sign``."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        truth = np.zeros(10)
        truth[rng.integers(10)] = 1.0
        made.append(DevQuery(rng.normal(size=10), sign * 2 * truth + rng.normal(size=10) * 0.2, truth))
    return made


def test_surprise_is_the_negative_log_likelihood_of_the_truth() -> None:
    one = DevQuery(np.array([1.0, 0.0]), np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    assert surprise([one], 0.5) == pytest.approx(np.log(np.exp(1.0) + np.exp(1.0)) - 1.0)


def test_useful_logits_get_weight_and_harmful_ones_none() -> None:
    assert fit_weight(queries(40, +1.0), unproven=0.5) >= 1.0
    assert fit_weight(queries(40, -1.0), unproven=0.5) == 0.0


@pytest.mark.parametrize("choose", [fit_weight, guarded_weight])
def test_too_few_queries_choose_nothing(choose: Choose) -> None:
    assert choose(queries(MIN_QUERIES - 1, -1.0), 0.5) == 0.5


def test_zero_logits_get_weight_0() -> None:
    flat = [DevQuery(one.prior, np.zeros(10), one.relevance) for one in queries(20, 1.0)]
    assert fit_weight(flat, unproven=0.5) == 0.0


def test_the_guard_keeps_1_while_a_smaller_weight_is_not_clearly_better() -> None:
    assert guarded_weight(queries(40, +1.0), 1.0) == 1.0
    assert guarded_weight(queries(40, -1.0), 1.0) == 0.0
    flat = [DevQuery(one.prior, np.zeros(10), one.relevance) for one in queries(20, 1.0)]
    assert guarded_weight(flat, 1.0) == 1.0


def test_the_guard_needs_more_than_one_standard_error() -> None:
    """Some lists are helped, some are hurt more: worse on average, and within the noise."""
    mixed = [*queries(20, +0.2, seed=1), *queries(17, -0.2, seed=1)]
    losses = np.array([[surprise([one], weight) for weight in (0.0, 1.0)] for one in mixed])
    difference = losses[:, 1] - losses[:, 0]
    assert 0 < difference.mean() < difference.std(ddof=1) / np.sqrt(len(mixed))
    assert fit_weight(mixed, 1.0) < 1.0
    assert guarded_weight(mixed, 1.0) == 1.0


@pytest.mark.parametrize("choose", [fit_weight, guarded_weight])
def test_a_fold_s_weight_is_chosen_on_the_others(choose: Choose) -> None:
    made = [*queries(20, +1.0), *queries(20, -1.0)]
    weights = cross_fit(made, [0] * 20 + [1] * 20, 0.5, choose)
    assert set(weights[:20]) == {0.0}
    assert min(weights[20:]) >= 1.0


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
