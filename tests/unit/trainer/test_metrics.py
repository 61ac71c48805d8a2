from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import InvalidInput
from trainer.metrics import STANDARD, measure, mrr, ndcg, recall


def test_ndcg_of_one_relevant_chunk_is_its_discount() -> None:
    assert ndcg(["x", "y", "z"], {"z": 1.0}, 10) == pytest.approx(1 / log2(3 + 1))


def test_ndcg_weighs_grades_and_counts_what_is_not_in_the_list() -> None:
    relevance = {"a": 1.0, "b": 0.5, "missing": 1.0}
    gained = 0.5 / log2(2) + 1.0 / log2(4)
    ideal = 1.0 / log2(2) + 1.0 / log2(3) + 0.5 / log2(4)
    assert ndcg(["b", "x", "a"], relevance, 10) == pytest.approx(gained / ideal)


def test_ndcg_below_the_cut_is_zero() -> None:
    assert ndcg(["a", "b", "c"], {"c": 1.0}, 2) == 0.0


def test_mrr_is_one_over_the_first_relevant_rank() -> None:
    assert mrr(["a", "b", "c"], {"b": 1.0, "c": 1.0, "a": 0.0}, 10) == 1 / 2
    assert mrr(["a", "b", "c"], {"c": 1.0}, 2) == 0.0


def test_recall_is_the_share_found() -> None:
    assert recall(["a", "b", "c"], {"b": 1.0, "z": 1.0, "a": 0.0}, 50) == 1 / 2


def test_measure_names() -> None:
    values = measure(["a", "b"], {"b": 1.0})
    assert values == {"ndcg@10": pytest.approx(1 / log2(3)), "mrr@10": 1 / 2, "recall@50": 1.0}
    assert tuple(values) == STANDARD


@pytest.mark.parametrize("name", ["ndcg", "map@10", "ndcg@", "ndcg@x", "ndcg@-1", "ndcg@0"])
def test_unknown_metrics_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        measure(["a"], {"a": 1.0}, [name])


@pytest.mark.parametrize(
    ("ranking", "relevance"),
    [(["a", "a"], {"a": 1.0}), (["a"], {}), (["a"], {"a": 0.0}), (["a"], {"a": float("nan")}), (["a"], {"a": -1.0})],
)
def test_bad_rankings_raise(ranking: list[str], relevance: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        ndcg(ranking, relevance, 10)


@given(st.permutations(list("abcdefgh")), st.sets(st.sampled_from("abcdefghij"), min_size=1), st.integers(1, 10))
def test_metrics_are_within_bounds_and_the_ideal_order_is_best(ranking: list[str], right: set[str], k: int) -> None:
    relevance = dict.fromkeys(sorted(right), 1.0)
    ideal = sorted(ranking, key=lambda name: name not in right)
    for metric in (ndcg, mrr, recall):
        assert 0 <= metric(ranking, relevance, k) <= metric(ideal, relevance, k) <= 1 + 1e-12
