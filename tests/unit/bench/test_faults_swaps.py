"""A check that can't say no is none: what the scenario ``swaps`` calls another version's answer."""

from __future__ import annotations

from dataclasses import replace

from bench.faults.swaps import Load, Moves, Scored, Seen, Truth, _pure, _quick
from store.types import Blend

ONE = Truth(Blend(0.0, 0.0, 1.0), {("q", 7): 1.5, ("q", 8): -0.5})
TWO = Truth(Blend(0.3, 0.1, 1.0), {("q", 7): 0.25, ("q", 8): 2.0})
OWN = Seen(
    0.0,
    0.1,
    2,
    {7: Scored(0.6, 1.0, 0.25, 0.3 * 0.6 + 0.1 * 1.0 + 0.25), 8: Scored(0.4, 0.0, 2.0, 0.3 * 0.4 + 2.0)},
    "q",
)


def told(seen: Seen) -> list[bool | None]:
    return [check.holds for check in _pure({1: ONE, 2: TWO}, Load("", ["q"], seen=[seen]))]


def test_scores_of_the_named_version_are_its_own() -> None:
    assert told(OWN) == [True, True]


def test_another_versions_model_or_blend_alone_is_noticed() -> None:
    other_blend = {chunk: replace(one, final=float(one.rerank or 0.0)) for chunk, one in OWN.scores.items()}
    other_model = {
        chunk: replace(one, rerank=ONE.logits["q", chunk], final=one.final - float(one.rerank or 0.0) + logit)
        for (chunk, one), logit in zip(OWN.scores.items(), ONE.logits.values(), strict=True)
    }
    for wrong in (other_blend, other_model, {}):
        assert told(replace(OWN, scores=wrong))[0] is False
    assert told(replace(OWN, version=1))[0] is False
    assert told(replace(OWN, version=9))[0] is False


def test_blends_that_give_the_same_scores_prove_nothing() -> None:
    alike = {1: Truth(TWO.blend, ONE.logits), 2: TWO}
    assert _pure(alike, Load("", ["q"], seen=[OWN]))[1].holds is False


def test_no_answer_during_a_swap_is_no_figure() -> None:
    load = Load("", ["q"], seen=[OWN])
    assert [check.holds for check in _quick(load, load, Moves([(0.05, 0.06)]))] == [True, True, None]
    assert [check.holds for check in _quick(load, load, Moves([(5.0, 6.0)]))] == [True, False, None]
