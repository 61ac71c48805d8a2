"""Paraphrases: other words, the same every time."""

from __future__ import annotations

import pytest

from bench.loop.paraphrase import REPLACEMENTS, paraphrase

QUERIES = [
    "python check if a variable is iterable",
    "how to prevent a file from modifying python",
    "sort dict by value",
    "open file",
    "python get index of a list element",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_paraphrase_differs_and_is_the_same_again(query: str) -> None:
    said = paraphrase(query, 7)
    assert said != query
    assert paraphrase(query, 7) == said


@pytest.mark.parametrize("query", QUERIES)
def test_a_word_is_dropped_and_every_other_is_a_word_of_the_query_or_its_replacement(query: str) -> None:
    words = query.split()
    said = paraphrase(query, 7).split()
    assert len(said) == len(words) - (len(words) > 3)
    assert set(said) <= set(words) | {REPLACEMENTS[word] for word in words if word in REPLACEMENTS}


def test_at_least_one_word_is_replaced_where_one_can_be() -> None:
    for seed in range(20):
        assert "sort" not in paraphrase("sort", seed).split()


def test_a_single_word_without_a_replacement_stays() -> None:
    assert paraphrase("numpy", 7) == "numpy"


def test_two_equal_ends_are_still_turned_round() -> None:
    for seed in range(20):
        assert paraphrase("numpy asarray", seed) == "asarray numpy"


def test_seeds_differ() -> None:
    assert len({paraphrase(QUERIES[0], seed) for seed in range(20)}) > 5
