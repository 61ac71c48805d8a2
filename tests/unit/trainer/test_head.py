from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from store.errors import Cancelled, InvalidInput
from store.types import Pair, PairSource
from trainer.evaluate import FloatArray
from trainer.features import Head
from trainer.head import FitStep, JudgedList, fit_head, judged_lists
from trainer.recipe import DEFAULT

WIDTH = 6
LEXICAL = 0.1


def world(
    count: int, seed: int = 0, weight: float = 1.0, wrong: int = 0
) -> tuple[list[JudgedList], dict[str, FloatArray]]:
    """Ten candidates a list; the first feature tells the right one, the prior knows nothing. ``wrong`` lists lie."""
    rng = np.random.default_rng(seed)
    lists, features = [], {}
    for number in range(count):
        truth = int(rng.integers(10))
        rows = rng.normal(size=(10, WIDTH)).astype(np.float32)
        rows[truth, 0] += 3.0
        said = truth if number >= wrong else int(rng.integers(10))
        target = tuple(float(at == said) for at in range(10))
        query = f"q{number}"
        features[query] = rows
        priors = tuple(rng.normal(size=10))
        ones = (1.0,) * 10
        lists.append(JudgedList(number, query, tuple("abcdefghij"), priors, target, ones, ones, weight))
    return lists, features


def fitted(lists: list[JudgedList], features: dict[str, FloatArray], penalty: float = DEFAULT.penalty) -> Head:
    return fit_head(lists, lambda one: features[one.query], replace(DEFAULT, penalty=penalty))


def loss_of(head: Head, lists: list[JudgedList], features: dict[str, FloatArray], penalty: float) -> float:
    """The formula of the module, from the finished head: scaling folded back out."""
    rows, masses = np.concatenate([features[one.query] for one in lists]), np.concatenate([one.mass for one in lists])
    squares = np.square(rows - np.average(rows, axis=0, weights=masses))
    spread = (np.sqrt(np.average(squares, axis=0, weights=masses)) + 1e-3) * np.sqrt(WIDTH)
    total, weights = 0.0, 0.0
    for one in lists:
        prior = np.array(one.priors) + np.log(one.mass)
        opinion = np.exp(prior) * np.array(one.kept)
        target = 0.8 * np.array(one.target) + 0.2 * opinion / opinion.sum()
        final = prior + head.logits(features[one.query]).astype(np.float64)
        total += one.weight * float(-(target * (final - np.log(np.exp(final).sum()))).sum())
        weights += one.weight
    return (total + penalty * float(np.square(head.weights * spread).sum())) / weights


def test_the_head_is_the_minimum_of_the_stated_loss() -> None:
    lists, features = world(40)
    kept = (0.0, 0.25, *(1.0,) * 8)
    lists = [replace(one, weight=0.2 + 0.1 * (one.group_id % 5), kept=kept) for one in lists if not any(one.target[:2])]
    lists = [replace(one, mass=(0.05, 0.6, *(1.0,) * 8)) for one in lists]
    head = fitted(lists, features)
    best = loss_of(head, lists, features, DEFAULT.penalty)
    rng = np.random.default_rng(1)
    for _ in range(30):
        moved = Head(head.weights + 0.02 * rng.normal(size=WIDTH).astype(np.float32), head.bias)
        assert loss_of(moved, lists, features, DEFAULT.penalty) > best
    seen: list[FitStep] = []
    fit_head(lists, lambda one: features[one.query], DEFAULT, seen.append)
    assert seen[-1].loss == pytest.approx(best, rel=1e-4)
    assert seen[0].loss == pytest.approx(
        loss_of(Head(np.zeros(WIDTH, np.float32), 0.0), lists, features, 0.2), rel=1e-4
    )


def test_it_learns_what_tells_right_from_wrong_even_from_some_lies() -> None:
    lists, features = world(60, wrong=6)
    head = fitted(lists, features)
    assert head.weights[0] > 3 * np.abs(head.weights[1:]).max()


def test_the_mean_logit_of_the_training_candidates_is_zero() -> None:
    lists, features = world(30)
    head = fitted(lists, features)
    assert np.concatenate([head.logits(features[one.query]) for one in lists]).mean() == pytest.approx(0.0, abs=1e-4)


def test_little_evidence_moves_little() -> None:
    lists, features = world(40)
    sizes = [np.linalg.norm(fitted(lists[:count], features).weights) for count in (1, 5, 40)]
    assert sizes == sorted(sizes)
    light = [replace(one, weight=0.005) for one in lists]
    assert np.linalg.norm(fitted(light, features).weights) < 0.2 * sizes[-1]


def test_a_list_of_weight_0_changes_nothing() -> None:
    lists, features = world(20)
    liar = replace(lists[0], weight=0.0)
    np.testing.assert_array_equal(fitted([*lists[1:], liar], features).weights, fitted(lists[1:], features).weights)


def without_the_last(one: JudgedList, features: FloatArray) -> tuple[JudgedList, FloatArray]:
    cut = replace(
        one,
        passages=one.passages[:-1],
        priors=one.priors[:-1],
        target=one.target[:-1],
        kept=one.kept[:-1],
        mass=one.mass[:-1],
    )
    return cut, features[:-1]


def test_a_candidate_pulls_less_and_less_until_at_weight_0_it_is_not_there() -> None:
    """Both ways: the last candidate of each list is a negative, or a second positive."""
    lists, features = world(20)
    lists = [one for one in lists if not one.target[9]]
    gone = [without_the_last(one, features[one.query]) for one in lists]
    bare = fitted([one for one, _ in gone], {one.query: rows for one, rows in gone}).weights

    def far(mass: float, share: float) -> float:
        light = [
            replace(
                one,
                mass=(*one.mass[:9], mass),
                target=(*(value * (1 - share) for value in one.target[:9]), share),
            )
            for one in lists
        ]
        return float(np.abs(fitted(light, features).weights - bare).max())

    for right in (False, True):
        steps = [far(mass, mass / (1 + mass) if right else 0.0) for mass in (1.0, 0.1, 0.01, 1e-5, 0.0)]
        assert steps == sorted(steps, reverse=True)
        assert steps[0] > 0.01
        assert steps[-1] < 1e-5


def test_two_halves_of_a_candidate_pull_like_the_whole() -> None:
    lists, features = world(20)
    lists = [one for one in lists if not one.target[9]]
    halves = [
        replace(
            one,
            passages=(*one.passages, "j"),
            priors=(*one.priors, one.priors[-1]),
            target=(*one.target, 0.0),
            kept=(*one.kept, 1.0),
            mass=(*one.mass[:-1], 0.5, 0.5),
        )
        for one in lists
    ]
    twice = {query: np.concatenate([rows, rows[-1:]]) for query, rows in features.items()}
    np.testing.assert_allclose(fitted(halves, twice).weights, fitted(lists, features).weights, atol=2e-4)


def test_a_candidates_mass_is_its_share_of_the_best_positives_weight() -> None:
    def masses(pairs: list[Pair]) -> tuple[float, ...]:
        (one,) = judged_lists(pairs, TEXTS, DEFAULT, LEXICAL)
        return one.mass

    assert masses([pair(0, 1.0), pair(1), pair(2, judged=True)]) == (1, 1, 1)
    assert masses([pair(0, 1.0, 0.3), pair(1, weight=0.3), pair(2, weight=0.3, judged=True)]) == (1, 1, 1)
    light = [pair(0, 1.0, 0.5), pair(1, 1.0, 0.25), pair(2, weight=0.05, judged=True), pair(3, weight=0.5)]
    assert masses(light) == pytest.approx((1, 0.5, 0.1, 1))
    assert masses([pair(0, 1.0, 0.1), pair(1, judged=True), pair(2, weight=0.1)]) == (1, 1, 1), "never more than 1"


def test_what_a_weak_signal_speaks_against_pulls_no_less_than_what_nobody_judged() -> None:
    """Passed over by the reader and by a click too, it is no less wrong than what was passed over alone."""
    skipped = replace(pair(1, weight=0.05), source=PairSource.CLICK)
    clicked = replace(pair(2, 1.0, weight=0.1), source=PairSource.CLICK)
    (one,) = judged_lists([pair(0, 1.0), skipped, clicked, pair(3)], TEXTS, DEFAULT, LEXICAL)
    assert dict(zip(one.passages, one.mass, strict=True)) == {"text 0": 1, "text 1": 1, "text 2": 0.1, "text 3": 1}


def test_the_same_lists_give_the_same_head() -> None:
    lists, features = world(20)
    one, other = fitted(lists, features), fitted(lists, features)
    np.testing.assert_array_equal(one.weights, other.weights)
    assert one.bias == other.bias


def test_a_wish_to_stop_is_heard_and_nothing_to_learn_is_said() -> None:
    lists, features = world(5)
    with pytest.raises(Cancelled):
        fit_head(lists, lambda one: features[one.query], DEFAULT, cancelled=lambda: True)
    with pytest.raises(InvalidInput, match="nothing to learn"):
        fit_head([], lambda one: features[one.query], DEFAULT)


TEXTS = {f"t{number}": f"text {number}" for number in range(60)}


def pair(number: int, label: float = 0.0, weight: float = 1.0, group: int = 1, *, judged: bool = False) -> Pair:
    source = PairSource.CHUNK_VOTE if judged or label > 0.5 else PairSource.HARD_NEGATIVE
    return Pair(group, f"query {group}", f"t{number}", label, weight, source, dense_score=0.5, lexical_score=0.25)


def test_a_list_has_priors_a_target_and_the_weight_of_its_best_positive() -> None:
    pairs = [pair(0, 1.0, 0.75), pair(1, 1.0, 0.25), pair(2), pair(3, judged=True)]
    (one,) = judged_lists(pairs, TEXTS, DEFAULT, LEXICAL)
    assert one.target == pytest.approx((0.75, 0.25, 0.0, 0.0))
    assert one.weight == 0.75
    assert one.priors == pytest.approx((20.0 * (0.5 + LEXICAL * 0.25),) * 4)
    assert set(one.passages) == {"text 0", "text 1", "text 2", "text 3"}


def test_a_vote_against_takes_the_first_stages_opinion_of_that_candidate_by_its_weight() -> None:
    pairs = [pair(0, 1.0), pair(1, weight=0.25, judged=True), pair(2, weight=3.0, judged=True), pair(3)]
    (one,) = judged_lists(pairs, TEXTS, DEFAULT, LEXICAL)
    assert dict(zip(one.passages, one.kept, strict=True)) == {"text 0": 1, "text 1": 0.75, "text 2": 0, "text 3": 1}
    lists, features = world(20)
    lists = [one for one in lists if not one.target[9]]
    against = [replace(one, kept=(*one.kept[:9], 0.0)) for one in lists]
    assert not np.allclose(fitted(against, features).weights, fitted(lists, features).weights)


def test_a_query_without_a_positive_or_without_a_rival_makes_no_list() -> None:
    assert judged_lists([pair(0, 1.0)], TEXTS, DEFAULT, LEXICAL) == []
    assert judged_lists([pair(0), pair(1)], TEXTS, DEFAULT, LEXICAL) == []


def test_the_budget_thins_lists_and_keeps_what_people_judged() -> None:
    groups = range(10)
    pairs = [
        one
        for group in groups
        for one in (
            pair(0, 1.0, group=group),
            pair(1, judged=True, group=group),
            *(pair(number, group=group) for number in range(2, 42)),
        )
    ]
    whole = judged_lists(pairs, TEXTS, DEFAULT, LEXICAL)
    assert [len(one.passages) for one in whole] == [42] * 10
    thin = judged_lists(pairs, TEXTS, replace(DEFAULT, max_pairs=120), LEXICAL)
    assert [len(one.passages) for one in thin] == [12] * 10
    assert all(one.passages[:2] == ("text 0", "text 1") for one in thin)
    ranks = [int(passage.split()[1]) for passage in thin[0].passages[2:]]
    assert ranks == sorted(ranks), "in order of rank"
    assert max(np.diff(ranks)) <= 2 * min(np.diff(ranks)), "spread evenly"
    least = judged_lists(pairs, TEXTS, replace(DEFAULT, max_pairs=10), LEXICAL)
    assert [len(one.passages) for one in least] == [DEFAULT.min_candidates] * 10


def test_a_golden_question_about_a_large_file_stays_within_the_budget() -> None:
    """Each of its chunks is judged right: the heaviest are kept, and a list beside it keeps its own width."""
    wide = [pair(number, 1.0, weight=0.5 + (number >= 49) / 2) for number in range(59)] + [pair(59)]
    pairs = [*wide, pair(0, 1.0, group=2), *(pair(number, group=2) for number in range(1, 40))]
    golden, other = judged_lists(pairs, TEXTS, replace(DEFAULT, max_pairs=20), LEXICAL)
    assert golden.passages == tuple(f"text {number}" for number in range(49, 60)), "ten right ones and a rival"
    assert len(other.passages) == 10


def test_threads_and_seeds_play_no_part() -> None:
    """Nothing is drawn at random: another seed of the libraries changes nothing."""
    lists, features = world(20)
    torch.manual_seed(1)
    first = fitted(lists, features)
    torch.manual_seed(2)
    np.testing.assert_array_equal(fitted(lists, features).weights, first.weights)


def test_code_questions_take_nothing_from_the_room_of_judged_lists() -> None:
    def rows(group: int, source: PairSource, count: int) -> list[Pair]:
        return [
            Pair(group, f"q{group}", f"{group}:{at}", float(at == 0), 1.0, source if at == 0 else other, 0.1, 0.0)
            for at in range(count)
            for other in [source if source is PairSource.CODE_QUESTION else PairSource.HARD_NEGATIVE]
        ]

    judged = rows(1, PairSource.CHUNK_VOTE, 30)
    code = [row for number in range(4) for row in rows(-1 - number, PairSource.CODE_QUESTION, 5)]
    texts = {row.content_hash: row.content_hash for row in (*judged, *code)}
    lists = judged_lists([*judged, *code], texts, replace(DEFAULT, max_pairs=40), LEXICAL)
    assert [len(one.passages) for one in lists] == [20, 5, 5, 5, 5]
