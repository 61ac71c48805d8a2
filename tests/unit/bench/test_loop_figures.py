"""Ranks to metrics to pooled figures, expected values written as formulas."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from bench.loop.figures import against, figure, ratio_interval, scores, share_of
from bench.loop.gate_power import Query, gains, power, queries_of, table
from bench.loop.scoring import Rank, mrr_at_10, ndcg_at_10, place
from store.types import Candidate, Chunk
from tests.unit.bench.cells import cell


@pytest.mark.parametrize(
    ("rank", "mrr", "ndcg"),
    [(1, 1.0, 1.0), (3, 1 / 3, 1 / 2), (10, 1 / 10, 1 / math.log2(11)), (11, 0.0, 0.0), (None, 0.0, 0.0)],
)
def test_metrics_of_a_rank(rank: Rank, mrr: float, ndcg: float) -> None:
    assert mrr_at_10(rank) == pytest.approx(mrr)
    assert ndcg_at_10(rank) == pytest.approx(ndcg)


def test_the_right_place_is_found_by_path_and_the_best_chunk_of_it_counts() -> None:
    ranked = [candidate("a.py", 1), candidate("b.py", 2), candidate("b.py", 3)]
    assert place(ranked, frozenset({"b.py"})) == 2
    assert place(ranked, frozenset({"c.py"})) is None


def candidate(path: str, rank: int) -> Candidate:
    chunk = Chunk(rank, "r", path, 1, 2, "", "python", str(rank), f"text {rank} {datetime.now(UTC)}")
    return Candidate(chunk, 0.5, 0.0, 0.5, rank, None, 0.5, rank)


def test_a_clear_gain_has_an_interval_above_zero_and_a_small_p() -> None:
    nothing = scores([2] * 80 + [1] * 20, "mrr@10")
    arm = scores([1] * 60 + [2] * 20 + [1] * 20, "mrr@10")
    found = figure(arm, nothing)
    assert found.mean == pytest.approx(0.9)
    assert found.gain == pytest.approx(0.9 / 0.6 - 1)
    assert 0 < found.low < found.gain < found.high
    assert found.p < 0.001
    assert found.difference[0] == pytest.approx(0.3)


def test_no_change_is_no_gain_and_no_proof() -> None:
    same = scores([1, 2, 3, None] * 10, "ndcg@10")
    found = figure(same, same)
    assert found.difference == (0.0, 0.0, 0.0)
    assert found.p == 1.0


def test_a_loss_has_a_large_p() -> None:
    assert figure(scores([2] * 50, "mrr@10"), scores([1] * 50, "mrr@10")).p == 1.0


def test_a_share_of_the_oracle() -> None:
    nothing, oracle = scores([2] * 100, "mrr@10"), scores([1] * 100, "mrr@10")
    half = scores([1] * 50 + [2] * 50, "mrr@10")
    found = share_of(half, oracle, nothing)
    assert found is not None
    assert found.share == pytest.approx(0.5)
    assert 0.35 < found.low < 0.5 < found.high < 0.65
    assert share_of(half, nothing, nothing) is None


def test_a_share_of_a_gain_that_may_be_nothing_is_undetermined() -> None:
    nothing = scores([2] * 100, "mrr@10")
    luck = scores([1] * 3 + [3] * 6 + [2] * 91, "mrr@10")  # gains in the mean, but its interval holds 0
    oracle = scores([1] * 30 + [3] * 6 + [2] * 64, "mrr@10")
    half = scores([1] * 50 + [2] * 50, "mrr@10")
    assert float((luck - nothing).mean()) > 0
    assert share_of(half, oracle, nothing) is not None
    assert share_of(half, luck, nothing) is None


def test_more_than_twice_is_reached_only_where_both_intervals_say_so() -> None:
    nothing = scores([2] * 200, "mrr@10")
    little, much = (scores([1] * better + [2] * (200 - better), "mrr@10") for better in (20, 120))
    found = against(much, little, nothing)
    assert found.difference[0] == pytest.approx(100 * 0.5 / 200)
    assert found.beyond[0] == pytest.approx((120 - 2 * 20) * 0.5 / 200)
    assert found.decided == "reached"
    hardly = scores([1] * 44 + [2] * 156, "mrr@10")
    assert against(hardly, little, nothing).decided == "in the mean, not proven"
    assert against(scores([1] * 39 + [2] * 161, "mrr@10"), little, nothing).decided == "not reached"


def test_twice_a_loss_is_no_easier_than_no_gain() -> None:
    nothing, loser = scores([2] * 200, "mrr@10"), scores([3] * 200, "mrr@10")
    found = against(nothing, loser, nothing)
    assert found.difference[0] == pytest.approx(1 / 2 - 1 / 3)
    assert found.beyond == (0.0, 0.0, 0.0)
    assert found.decided == "not reached"


def test_a_ratio_to_nothing_is_no_number() -> None:
    assert all(math.isnan(bound) for bound in ratio_interval(np.ones(5), np.zeros(5)))


def test_the_gates_power_grows_with_the_groups_and_shuffled_relevance_proves_nothing() -> None:
    # The challenger lifts the candidate at first-stage rank 2 to the top; it is the right one in 7 of 10 queries.
    lifted = (2, 1, *range(3, 51))
    queries = [Query(lifted, 2)] * 70 + [Query(lifted, 1)] * 30
    few, many = (power("oracle", 0, queries, groups, 20, 1) for groups in (40, 250))
    assert few.promoted == 0.0  # the gate wants 50 groups at least
    assert many.promoted == 1.0
    assert many.shuffled <= 0.1


def test_the_gates_power_at_a_later_trial_and_for_challengers_that_are_no_worse() -> None:
    lifted = (2, 1, *range(3, 51))
    queries = [Query(lifted, 2)] * 58 + [Query(lifted, 1)] * 42
    found = power("oracle", 0, queries, 100, 40, 1)
    assert found.trial == 5
    assert 0 < found.promoted_later < found.promoted < 1
    assert found.rejected <= 0.05  # its true gain is above 0
    assert found.shuffled_rejected <= 0.15  # neither better nor worse
    first, second = table([found]).splitlines()[0::2]
    assert first.count("|") == second.count("|")
    assert "(number 5)" in second


def test_queries_whose_right_place_is_no_candidate_are_left_out() -> None:
    one = cell(unseen=(2, None), orders=((3, 1, 2), (1, 2, 3)))
    assert queries_of([one]) == [Query((3, 1, 2), 1)]
    challenger, nothing = gains(queries_of([one]), [1])
    assert (challenger[0], nothing[0]) == pytest.approx((1 / math.log2(3), 1.0))
