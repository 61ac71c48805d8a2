"""The gate's margins, and what it makes of chance."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.types import Decision
from tests.unit.trainer.gate_evidence import FAST, arms, evidence, scores
from trainer.gate import Arms, Evidence, GatePolicy, decide


@pytest.mark.parametrize(
    ("drop", "sd", "decision"),
    [
        (0.0099, 0.05, Decision.PROMOTE),
        (0.0101, 0.05, Decision.NOT_PROVEN),
        (0.0101, 0.01, Decision.REJECT),
        (0.04, 0.05, Decision.REJECT),
    ],
)
def test_the_held_out_mean_may_fall_by_a_hundredth_below_the_champion(
    drop: float, sd: float, decision: Decision
) -> None:
    held_out = replace(arms(40, -drop, sd=sd), base={}, no_rerank={})
    low = dict.fromkeys(held_out.challenger, 0.1)
    held_out = replace(held_out, base=low, no_rerank=low)
    assert decide(evidence(held_out=held_out), FAST).decision is decision


@pytest.mark.parametrize("arm", ["base", "no_rerank"])
@pytest.mark.parametrize(("drop", "decision"), [(0.0049, Decision.PROMOTE), (0.0051, Decision.REJECT)])
def test_the_held_out_mean_may_fall_by_half_a_hundredth_below_base_and_no_rerank(
    arm: str, drop: float, decision: Decision
) -> None:
    held_out = arms(40, 0.03, seed=1)
    better = {group: score + drop for group, score in held_out.challenger.items()}
    assert decide(evidence(held_out=replace(held_out, **{arm: better})), FAST).decision is decision


def test_a_missed_margin_that_may_be_chance_says_so_and_stops_the_promotion() -> None:
    found = decide(evidence(held_out=arms(40, -0.012, sd=0.15, seed=1)), FAST)
    assert found.decision is Decision.NOT_PROVEN
    (missed, *_) = [reason for reason in found.reasons if "against" in reason and "the champion on 40" in reason]
    assert missed.startswith("ndcg@10 misses the margin: ")
    assert missed.endswith("is allowed), but 40 held-out questions are too few to call it worse.")
    assert missed in found.reasons[: found.numbers["deciding"]]
    significant = decide(evidence(held_out=arms(40, -0.012, sd=0.005, seed=1)), FAST)
    assert significant.reasons[0].startswith("ndcg@10 falls too far: ")


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.01, 0.05, 0.2]),
    st.floats(-0.01, 0.05),
    st.floats(-0.03, 0.06),
    st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)),
    st.integers(1, 3),
)
@settings(max_examples=150, deadline=None)
def test_what_is_promoted_holds_every_margin_and_is_proven(
    seed: int, sd: float, gain: float, held_out: float, rivals: tuple[float, float], trial: int
) -> None:
    """The decision by the means alone, as DESIGN says it: whether a fall is significant never lets anything pass."""
    rng = np.random.default_rng(seed)

    def arm(groups: int, first: int, gain: float) -> Arms:
        champion = rng.uniform(0.3, 0.6, groups)
        made = [champion + shift + rng.normal(0, sd, groups) for shift in (gain, *rivals)]
        return Arms(*(scores(values, first) for values in (made[0], champion, *made[1:])))

    made = Evidence(held_out=arm(20, 0, held_out), out_of_fold=arm(60, 100, gain), latency_ms=1.0, trial=trial)
    found = decide(made, GatePolicy(rounds=400))

    def mean(name: str, *parts: Arms) -> float:
        return float(np.mean([score for part in parts for score in getattr(part, name).values()]))

    def fall(name: str, *parts: Arms) -> float:
        return mean(name, *parts) - mean("challenger", *parts)

    everything = made.held_out, made.out_of_fold
    falls = [fall(name, *parts) for name in ("base", "no_rerank") for parts in ((made.held_out,), everything)]
    holds = fall("champion", made.held_out) <= 0.01 and max(falls) <= 0.005
    proven = fall("champion", *everything) < 0 and found.numbers["champion"]["p_better"] < 0.05 / trial
    assert (found.decision is Decision.PROMOTE) == (holds and proven)


def test_a_challenger_that_is_no_better_and_no_worse_is_seldom_promoted_or_rejected() -> None:
    """Against one rival that is champion, base and no reranking at once, as on the first nights."""
    policy, nights = GatePolicy(rounds=400), 200
    said: Counter[Decision] = Counter()
    for seed in range(nights):
        rng = np.random.default_rng(seed)

        def same(groups: int, first: int, rng: np.random.Generator = rng) -> Arms:
            rival = rng.uniform(0.3, 0.7, groups)
            twin = scores(rival, first)
            return Arms(scores(rival + rng.normal(0, 0.15, groups), first), twin, twin, twin)

        made = Evidence(held_out=same(40, 0), out_of_fold=same(160, 1000), latency_ms=1.0)
        said[decide(made, policy).decision] += 1

    def at_most(share: float) -> float:
        return nights * share + float(2 * (nights * share * (1 - share)) ** 0.5)

    assert said[Decision.PROMOTE] <= at_most(0.05)
    assert said[Decision.REJECT] <= at_most(0.1)  # two tests at 5 % each: on the held-out questions and on all of them
