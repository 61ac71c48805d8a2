"""Second opinions before the gate: what they prove, and what they can't."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import InvalidInput
from store.types import Decision
from tests.unit.trainer.gate_evidence import FAST, arms, evidence, text
from trainer.asked import compare
from trainer.gate import Arms, Evidence, decide
from trainer.significance import randomisation_test


def asked(gain: float, groups: int = 60, share: float = 0.4, **changes: object) -> Evidence:
    """No gain on unseen questions, ``gain`` on some of the same groups when asked again."""
    return evidence(0.0, opinions=arms(groups, gain, first=1000, seed=5), opinions_share=share, **changes)  # type: ignore[arg-type]


def test_what_rating_is_worth_to_who_asks_again_can_be_the_proof() -> None:
    assert decide(evidence(0.0), FAST).decision is Decision.NOT_PROVEN
    found = decide(asked(0.1), FAST)
    assert found.decision is Decision.PROMOTE
    champion = found.numbers["champion"]
    assert champion["gain"] == pytest.approx(0.6 * 0.0 + 0.4 * 0.1, abs=1e-6)
    assert champion["challenger_mean"] - champion["champion_mean"] == pytest.approx(champion["gain"])
    assert champion["opinions"] == pytest.approx(
        {
            "questions": 60,
            "share": 0.4,
            "gain": 0.1,
            "first": champion["opinions"]["first"],
            "second": champion["opinions"]["second"],
        }
    )
    assert "40% of what is asked that a night could have learned from somebody else" in found.reasons[0]


@pytest.mark.parametrize(
    "changes", [{"opinions": arms(19, 0.3, first=1000)}, {"opinions_share": 0.0}, {"opinions": Arms()}]
)
def test_few_of_them_or_none_asked_count_for_nothing_and_it_is_said(changes: dict[str, Arms]) -> None:
    made = replace(asked(0.3), **changes)  # type: ignore[arg-type]
    found, without = decide(made, FAST), decide(evidence(0.0), FAST)
    assert (found.decision, found.numbers) == (without.decision, without.numbers)
    said = [f"{len(made.opinions.challenger)} second opinions count for nothing"] if made.opinions.challenger else []
    more = [reason.split(":")[0] for reason in found.reasons if reason not in without.reasons]
    assert more == said


def test_a_gain_for_those_who_ask_again_does_not_excuse_a_loss_for_the_others() -> None:
    worse = arms(160, -0.03, first=1000, seed=2)
    found = decide(asked(0.4, out_of_fold=worse), FAST)
    assert found.numbers["champion"]["gain"] > 0.1
    assert found.decision is Decision.REJECT
    little = decide(asked(0.4, out_of_fold=arms(160, -0.016, first=1000, sd=0.3, seed=2)), FAST)
    assert little.decision is Decision.NOT_PROVEN
    assert "misses the margin" in text(little)
    assert "questions not trained on are too few to call it worse" in text(little)


def test_the_floors_of_the_held_out_fifth_are_for_the_held_out_fifth_alone() -> None:
    found = decide(asked(0.4, held_out=arms(40, -0.02, sd=0.3, seed=1)), FAST)
    assert found.decision is Decision.NOT_PROVEN
    assert "on 40 held-out questions (\N{MINUS SIGN}0.020" in text(found)


def test_the_floor_of_no_reranking_is_for_questions_that_nobody_taught() -> None:
    less = arms(160, -0.008, first=1000, sd=0.01, seed=2)
    below = replace(less, champion={group: score - 0.02 for group, score in less.champion.items()})
    found = decide(asked(0.4, out_of_fold=below), FAST)
    assert found.numbers["pooled_vs_champion"] > 0
    assert found.numbers["pooled_vs_no_rerank"] == pytest.approx(0.8 * -0.008, abs=1e-6)
    assert found.decision is Decision.REJECT


def test_a_loss_for_those_who_ask_again_stands_against_a_gain_for_the_others() -> None:
    found = decide(evidence(0.01, opinions=arms(60, -0.1, first=1000, seed=5), opinions_share=0.4), FAST)
    assert found.decision is Decision.REJECT
    assert "worse than the champion" in found.reasons[0]


def test_imported_lists_are_left_out_of_them() -> None:
    some = frozenset(range(1000, 1030))
    found = decide(asked(0.1, imported=some), FAST)
    assert found.numbers["champion"]["opinions"]["questions"] == 30


def test_the_version_rolled_back_from_must_be_beaten_in_the_same_measure() -> None:
    def beside(one: Arms, gain: float) -> Arms:
        return replace(one, rolled_back={group: min(1.0, score + gain) for group, score in one.champion.items()})

    def judged(gain: float) -> str:
        made = asked(0.1, rolled_back_from=3)
        own, folds = beside(made.held_out, 0.0), beside(made.out_of_fold, 0.0)
        return text(decide(replace(made, held_out=own, out_of_fold=folds, opinions=beside(made.opinions, gain)), FAST))

    assert "It beats version 3" in judged(0.0)
    assert "It is not proven to beat version 3" in judged(0.1)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(InvalidInput, match="share"):
        decide(asked(0.1, share=share), FAST)


def test_arms_of_different_second_opinions_are_refused() -> None:
    odd = replace(asked(0.1).opinions, champion={1: 0.5})
    with pytest.raises(InvalidInput, match="different questions"):
        decide(replace(asked(0.1), opinions=odd), FAST)


scores = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(scores, scores, st.floats(0, 1), st.integers(0, 12))
def test_the_mean_of_the_differences_is_the_stratified_gain(
    own: list[float], again: list[float], share: float, first: int
) -> None:
    """``first``: how far the groups of the two parts overlap."""
    unseen = dict(enumerate(own))
    later = {first + number: score for number, score in enumerate(again)}
    none = (dict.fromkeys(unseen, 0.25), dict.fromkeys(later, 0.5))
    found = compare((unseen, none[0]), (later, none[1]), share)
    wanted = (1 - share) * (np.mean(own) - 0.25) + share * (np.mean(again) - 0.5)
    assert float(found.differences.mean()) == pytest.approx(wanted, abs=1e-9)
    assert found.means[0] - found.means[1] == pytest.approx(wanted, abs=1e-9)


def test_without_second_opinions_the_differences_are_those_of_the_questions_to_the_bit() -> None:
    one = arms(97, 0.01)
    found = compare((one.challenger, one.champion), ({}, {}), 0.0)
    assert found.differences.tolist() == [one.challenger[group] - one.champion[group] for group in range(97)]


def test_versions_that_are_alike_pass_the_test_as_seldom_as_it_says() -> None:
    """Half of the second opinions share their question's luck, and few of them stand for much: the bad case."""
    rng = np.random.default_rng(11)
    passed = 0
    for _ in range(600):
        luck = rng.normal(0, 0.2, 120)
        unseen = dict(enumerate(luck))
        again = {group: luck[group] * (group % 2) + rng.normal(0, 0.2) for group in range(100, 120)}
        differences = compare(
            ({g: 0.5 + 0.2 * np.tanh(v) for g, v in unseen.items()}, dict.fromkeys(unseen, 0.5)),
            ({g: 0.5 + 0.2 * np.tanh(v) for g, v in again.items()}, dict.fromkeys(again, 0.5)),
            0.5,
        ).differences
        passed += randomisation_test(differences, np.zeros(len(differences)), rng, 400) < 0.05
    assert passed / 600 < 0.08
