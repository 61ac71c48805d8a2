from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import InvalidInput
from store.types import Decision
from tests.unit.trainer.gate_evidence import FAST, arms, evidence, text
from trainer.gate import Arms, Evidence, GatePolicy, could_promote, decide
from trainer.significance import needed_groups


def test_a_clear_gain_is_promoted_with_its_numbers() -> None:
    found = decide(evidence(), FAST)
    assert found.decision is Decision.PROMOTE
    assert found.numbers["groups"] == 200
    assert found.numbers["held_out_groups"] == 40
    assert found.numbers["champion"]["gain"] == pytest.approx(0.03)
    assert "+0.030" in found.reasons[0]
    assert "p = " in found.reasons[0]


def test_no_difference_is_not_proven() -> None:
    same = arms(100, 0.0, sd=0.0)
    found = decide(evidence(held_out=same, out_of_fold=Arms()), FAST)
    assert found.decision is Decision.NOT_PROVEN
    assert found.numbers["champion"]["p_better"] == 1.0
    assert "alike" in text(found)


def test_a_gain_within_the_noise_says_how_many_more_judged_questions_would_settle_it() -> None:
    found = decide(evidence(held_out=arms(20, 0.02, sd=0.25), out_of_fold=arms(60, 0.02, 1000, sd=0.25)), FAST)
    assert found.decision is Decision.NOT_PROVEN
    numbers = found.numbers["champion"]
    total = needed_groups(numbers["gain"], numbers["sd"], 0.05, 0.8)
    assert found.numbers["needed_groups"]["total"] == total
    assert f"About {total - 80} more judged questions" in text(found)


def test_significantly_worse_is_rejected() -> None:
    found = decide(evidence(-0.03), FAST)
    assert found.decision is Decision.REJECT
    assert "worse than the champion" in found.reasons[0]


def test_too_few_groups_are_not_proven_however_good() -> None:
    found = decide(evidence(held_out=arms(12, 0.2), out_of_fold=arms(30, 0.2, 1000)), FAST)
    assert found.decision is Decision.NOT_PROVEN
    assert "42 judged questions are too few" in found.reasons[0]
    assert "8 more" in found.reasons[0]


def test_too_few_held_out_groups_are_not_proven_however_good() -> None:
    found = decide(evidence(held_out=arms(5, 0.2)), FAST)
    assert found.decision is Decision.NOT_PROVEN
    assert "5 of the judged questions are held out" in text(found)


def test_the_kth_challenger_needs_a_smaller_p() -> None:
    close = evidence(held_out=arms(40, 0.012, sd=0.08, seed=1), out_of_fold=arms(160, 0.012, 1000, sd=0.08, seed=2))
    p = decide(close, FAST).numbers["champion"]["p_better"]
    assert decide(close, FAST).decision is Decision.PROMOTE
    trial = int(0.05 / p) + 2
    again = decide(replace(close, trial=trial), FAST)
    assert again.decision is Decision.NOT_PROVEN
    assert again.numbers["alpha"] == pytest.approx(0.05 / trial)


def test_numbers_say_whether_any_challenger_could_have_been_promoted() -> None:
    assert could_promote(decide(evidence(-0.03), FAST).numbers), "a bad one was tried all the same"
    few = decide(evidence(held_out=arms(12, 0.2), out_of_fold=arms(30, 0.2, 1000)), FAST).numbers
    imported = arms(200, 0.3)
    alone = Evidence(held_out=imported, latency_ms=1.0, imported=frozenset(imported.challenger))
    for numbers in (few, decide(evidence(held_out=arms(5, 0.2)), FAST).numbers, decide(alone, FAST).numbers):
        assert numbers["could_promote"] is False
        assert not could_promote(numbers)
        earlier = {name: value for name, value in numbers.items() if name != "could_promote"}
        assert not could_promote(earlier), "the counts of earlier releases say it too"
    assert could_promote({"groups": 50, "held_out_groups": 10})
    assert not could_promote({"groups": 50, "held_out_groups": 9})
    assert could_promote({}), "what is not known counts"


@pytest.mark.parametrize("name", ["golden", "general"])
def test_a_guard_set_that_falls_rejects_and_a_small_one_warns(name: str) -> None:
    def guarded(guard: Arms) -> Evidence:
        return evidence(golden=guard) if name == "golden" else evidence(general=guard)

    assert decide(guarded(arms(50, -0.0199)), FAST).decision is Decision.PROMOTE
    assert decide(guarded(arms(50, -0.0201)), FAST).decision is Decision.REJECT
    small = decide(guarded(arms(49, -0.1)), FAST)
    assert small.decision is Decision.PROMOTE
    assert "Warning" in small.reasons[-1]


def test_latency_over_budget_rejects_and_unmeasured_is_not_proven() -> None:
    policy = replace(FAST, latency_budget_ms=500.0)
    assert decide(evidence(latency_ms=501.0), policy).decision is Decision.REJECT
    assert decide(evidence(latency_ms=None), policy).decision is Decision.NOT_PROVEN


def test_the_version_rolled_back_from_must_be_beaten_too() -> None:
    made = evidence(rolled_back_from=4)
    assert decide(made, FAST).decision is Decision.NOT_PROVEN, "it was not scored"

    def with_rolled_back(behind: float) -> Evidence:
        def add(one: Arms) -> Arms:
            return replace(one, rolled_back={group: max(0.0, s - behind) for group, s in one.challenger.items()})

        return replace(made, held_out=add(made.held_out), out_of_fold=add(made.out_of_fold))

    assert decide(with_rolled_back(0.0), FAST).decision is Decision.NOT_PROVEN
    assert decide(with_rolled_back(0.02), FAST).decision is Decision.PROMOTE


def test_lists_of_imported_passages_prove_nothing() -> None:
    imported = arms(200, 0.3)
    found = decide(Evidence(held_out=imported, latency_ms=1.0, imported=frozenset(imported.challenger)), FAST)
    assert found.decision is Decision.NOT_PROVEN
    assert "imported passages" in found.reasons[0]
    assert found.numbers["groups"] == 0


def test_imported_groups_are_left_out_beside_real_ones() -> None:
    real = evidence(0.0)
    extra = arms(300, 0.3, first=5000)
    mixed = Arms(
        {**real.held_out.challenger, **extra.challenger},
        {**real.held_out.champion, **extra.champion},
        {**real.held_out.base, **extra.base},
        {**real.held_out.no_rerank, **extra.no_rerank},
    )
    found = decide(replace(real, held_out=mixed, imported=frozenset(extra.challenger)), FAST)
    assert found.numbers["groups"] == 200
    assert found.decision is Decision.NOT_PROVEN


def test_no_evidence_at_all_is_not_proven() -> None:
    assert decide(Evidence(held_out=Arms()), FAST).decision is Decision.NOT_PROVEN


def broken_inputs() -> list[Evidence]:
    good = evidence()
    nan = {**good.held_out.challenger, 0: float("nan")}
    more = {**good.held_out.challenger, 999: 0.5}
    high = {**good.held_out.champion, 0: 1.5}
    return [
        replace(good, held_out=replace(good.held_out, challenger=nan)),
        replace(good, held_out=replace(good.held_out, challenger=more)),
        replace(good, held_out=replace(good.held_out, champion=high)),
        replace(good, held_out=replace(good.held_out, base={})),
        replace(good, held_out=replace(good.held_out, no_rerank={})),
        replace(good, golden=replace(good.golden, champion={})),
        replace(good, golden=replace(good.golden, challenger={})),
        replace(good, out_of_fold=good.held_out),
        replace(good, latency_ms=float("nan")),
        replace(good, trial=0),
    ]


@pytest.mark.parametrize("number", range(10))
def test_wrong_input_raises_and_never_promotes(number: int) -> None:
    with pytest.raises(InvalidInput):
        decide(broken_inputs()[number], FAST)


@given(
    st.floats(-0.05, 0.05),
    st.integers(0, 10_000),
    st.dictionaries(st.integers(0, 99), st.floats(0, 0.5), max_size=60),
    st.integers(1, 4),
)
@settings(max_examples=80, deadline=None)
def test_making_the_challenger_worse_never_helps_it(
    gain: float, seed: int, drops: dict[int, float], trial: int
) -> None:
    order = [Decision.REJECT, Decision.NOT_PROVEN, Decision.PROMOTE]
    before = evidence(gain, held_out=arms(20, gain, sd=0.1, seed=seed), out_of_fold=arms(80, gain, 20, 0.1, seed + 1))
    before = replace(before, trial=trial)

    def worse(one: Arms) -> Arms:
        return replace(one, challenger={g: max(0.0, s - drops.get(g, 0.0)) for g, s in one.challenger.items()})

    after = replace(before, held_out=worse(before.held_out), out_of_fold=worse(before.out_of_fold))
    policy = GatePolicy(rounds=400)
    assert order.index(decide(after, policy).decision) <= order.index(decide(before, policy).decision)


def test_what_decided_comes_first_and_is_counted() -> None:
    rejected, unproven, promoted = (decide(evidence(gain), FAST) for gain in (-0.03, 0.0, 0.05))
    assert [one.decision for one in (rejected, unproven, promoted)] == [
        Decision.REJECT, Decision.NOT_PROVEN, Decision.PROMOTE,
    ]  # fmt: skip
    assert rejected.reasons[0].startswith("It is worse than the champion")
    assert "(\N{MINUS SIGN}0.03" in rejected.reasons[0]
    assert "-0" not in "".join(rejected.reasons)
    assert promoted.numbers["deciding"] == 1
    for found in (rejected, unproven):
        first = found.numbers["deciding"]
        assert not any("holds" in reason for reason in found.reasons[:first])
        assert all("holds" in r or "budget" in r or "guard" in r for r in found.reasons[first:])


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_groups_changes_nothing(seed: int, random: object) -> None:
    made = evidence(0.01, held_out=arms(20, 0.01, sd=0.1, seed=seed))

    def shuffled(values: dict[int, float]) -> dict[int, float]:
        keys = list(values)
        random.shuffle(keys)  # type: ignore[attr-defined]
        return {key: values[key] for key in keys}

    other = replace(made, held_out=replace(made.held_out, challenger=shuffled(dict(made.held_out.challenger))))
    assert decide(made, FAST) == decide(other, FAST)
