"""The person model: who is believed right, what is done about it, and what stays the same between arms."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bench.loop.person import SHOWN, Acts, Model, Seen, decide, person_of

SURE = Model(
    look=(1.0,) * SHOWN,
    click_right=1.0,
    click_other=0.0,
    vote_right=1.0,
    vote_above=1.0,
    correct=1.0,
    thumb=1.0,
    stars=0.0,
    wrong=0.0,
)


def sources(right: int | None, cited: tuple[int, ...] = (0,), count: int = SHOWN) -> list[Seen]:
    return [Seen(100 + place, place == right, place in cited) for place in range(count)]


def acts(model: Model, right: int | None, seed: int = 1, cited: tuple[int, ...] = (0,)) -> Acts:
    return decide(sources(right, cited), model, random.Random(seed))


def test_who_sees_the_right_place_votes_for_it_and_against_two_above() -> None:
    done = acts(SURE, right=3)
    assert done.votes == ((103, True), (100, False), (101, False))
    assert done.clicks == (103,)
    assert done.thumb == "down"  # the answer cites rank 1, not the right place
    assert not done.search


def test_a_cited_right_place_is_a_thumb_up_and_nothing_above_it_is_voted_on() -> None:
    done = acts(SURE, right=0)
    assert done.thumb == "up"
    assert done.votes == ((100, True),)


def test_who_does_not_see_it_votes_for_nothing_and_searches() -> None:
    done = acts(SURE, right=None)
    assert done.votes == ()
    assert done.search
    assert done.thumb == "down"


def test_a_right_place_that_nobody_looks_at_is_not_seen() -> None:
    blind = Model(look=(1.0, *(0.0,) * (SHOWN - 1)), correct=1.0, wrong=0.0)
    assert acts(blind, right=5).search


def test_a_mistaken_person_votes_for_another_source_and_may_vote_against_the_right_one() -> None:
    wrong = replace(SURE, wrong=1.0)
    seen = [acts(wrong, right=0, seed=seed) for seed in range(200)]
    assert all(done.votes[0][1] and done.votes[0][0] != 100 for done in seen)
    assert any((100, False) in done.votes for done in seen)
    assert {done.votes[0][0] for done in seen} == {101 + place for place in range(SHOWN - 1)}


def test_random_votes_know_nothing_of_the_right_place() -> None:
    at_random = replace(SURE, at_random=True)
    for seed in range(30):
        assert acts(at_random, right=0, seed=seed).votes[0] == acts(at_random, right=6, seed=seed).votes[0]


def test_who_errs_at_ten_per_cent_errs_at_thirty_too() -> None:
    errs = {
        share: {seed for seed in range(400) if acts(replace(SURE, wrong=share), right=0, seed=seed).votes[0][0] != 100}
        for share in (0.0, 0.1, 0.3)
    }
    assert not errs[0.0]
    assert errs[0.1] < errs[0.3]
    assert len(errs[0.1]) / 400 == pytest.approx(0.1, abs=0.04)
    assert len(errs[0.3]) / 400 == pytest.approx(0.3, abs=0.06)


def test_thumb_or_stars_but_never_both_and_stars_agree_with_the_citation() -> None:
    model = Model(wrong=0.0)
    for seed in range(300):
        done = acts(model, right=0, seed=seed)
        assert done.thumb is None or done.stars is None
        assert done.stars in (None, 5)
        assert acts(model, right=None, seed=seed).stars in (None, 1)


def test_without_sources_nothing_is_voted_on() -> None:
    for model in (SURE, Model(at_random=True), Model(wrong=1.0)):
        done = decide([], model, random.Random(3))
        assert done.votes == ()
        assert done.clicks == ()


def test_the_same_query_has_the_same_person_and_luck() -> None:
    name, rng = person_of("sort a list", 7, 1)
    again, other = person_of("sort a list", 7, 1)
    first = rng.random()
    assert (name, first) == (again, other.random())
    assert first not in (person_of("sort a list", 8, 1)[1].random(), person_of("sort a list", 7, 2)[1].random())
