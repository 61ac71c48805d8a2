from __future__ import annotations

import numpy as np
import pytest

from store.types import Pair, PairSource
from trainer.collate import list_rows, pair_rows, rows_for, usable_pairs
from trainer.recipe import LISTWISE, SEED

TEXTS = {name: f"text {name}" for name in ("p", "q", *(f"n{number}" for number in range(20)))}


def pair(text: str, label: float, weight: float = 1.0, source: PairSource = PairSource.HARD_NEGATIVE) -> Pair:
    return Pair(1, "question", text, label, weight, source, dense_score=0.5, lexical_score=0.25)


def test_pairs_without_weight_or_text_do_not_train() -> None:
    usable, missing = usable_pairs([pair("p", 1.0), pair("q", 1.0, 0.0), pair("gone", 0.0)], TEXTS)
    assert [one.content_hash for one in usable] == ["p"]
    assert missing == 1


def test_a_prior_is_the_fused_score_times_its_scale() -> None:
    (row,) = pair_rows([pair("p", 1.0)], TEXTS, prior_scale=20.0, lexical=0.1)
    assert row.priors == pytest.approx((20.0 * (0.5 + 0.1 * 0.25),))


def test_pair_weights_are_scaled_to_mean_1() -> None:
    rows = pair_rows([pair("p", 1.0, 0.25), pair("q", 0.0, 0.75)], TEXTS, 20.0, 0.1)
    assert [row.weights[0] for row in rows] == pytest.approx([0.5, 1.5])


def test_a_list_keeps_what_people_judged_and_draws_the_rest() -> None:
    judged = [pair("n0", 0.0, source=PairSource.CHUNK_VOTE), pair("n1", 0.0, source=PairSource.CHUNK_VOTE)]
    pairs = [pair("p", 1.0, 0.5), *judged, *(pair(f"n{number}", 0.0) for number in range(2, 20))]
    draws = set()
    for seed in range(5):
        (row,) = list_rows(pairs, TEXTS, 20.0, 0.1, 5, np.random.default_rng(seed))
        assert row.labels == (1.0, 0, 0, 0, 0, 0)
        assert row.passages[:3] == ("text p", "text n0", "text n1")
        assert row.weights[0] == 1.0, "the only positive weighs the mean"
        draws.add(row.passages)
    assert len(draws) > 1


def test_a_query_with_one_class_makes_no_list() -> None:
    rng = np.random.default_rng(0)
    assert list_rows([pair("p", 1.0), pair("q", 1.0)], TEXTS, 20.0, 0.1, 8, rng) == []
    assert list_rows([pair("n0", 0.0)], TEXTS, 20.0, 0.1, 8, rng) == []


def test_epochs_draw_their_negatives_anew_and_repeatably() -> None:
    pairs = [pair("p", 1.0), *(pair(f"n{number}", 0.0) for number in range(20))]
    first, second = rows_for(LISTWISE, pairs, TEXTS, 0.1, 2, seed=3)
    assert first != second
    assert rows_for(LISTWISE, pairs, TEXTS, 0.1, 2, seed=3) == [first, second]
    again, same = rows_for(SEED, pairs, TEXTS, 0.1, 2, seed=3)
    assert again == same
