"""What holds for the judgments of any acts: order, caps, bounds."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.types import Signal, SignalKind, Split
from tests.unit.trainer.test_judgments import POLICY, judged
from tests.unit.trainer.world import NOTHING_MOVED, Says, impression, place
from trainer.evidence import Policy, gather
from trainer.judgments import cap_accounts, judge

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["vote", "thumb", "click"]),
        st.booleans(),
        st.integers(1, 8),
        st.sampled_from(["ann", "bob", "cy", "dee"]),
        st.sampled_from(["a", "b", "c"]),
    ),
    max_size=60,
)
LISTS = {
    "a": impression("a", "one", cited=(1, 3)),
    "b": impression("b", "two", chunk_ids=range(8, 0, -1), cited=(2,)),
    "c": impression("c", "three", cited=(5, 6, 7)),
}
PLACES = {"one": place(1), "two": place(1), "three": place(2, Split.HELD_OUT)}


def act_out(acts: list[tuple[str, bool, int, str, str]]) -> list[Signal]:
    says = Says()
    for what, positive, chunk, actor, answer in acts:
        if what == "vote":
            says(SignalKind.CHUNK_VOTE, positive, chunk, actor, answer)
        elif what == "thumb":
            says(SignalKind.THUMB, "up" if positive else "down", None, actor, answer)
        else:
            says(SignalKind.CLICK, True, chunk, actor, answer)
    return says.made


@given(ACTS, st.integers(0, 2**32))
def test_the_order_in_which_signals_are_read_changes_nothing(
    acts: list[tuple[str, bool, int, str, str]], seed: int
) -> None:
    signals = act_out(acts)
    shuffled = random.Random(seed).sample(signals, len(signals))
    policy = Policy(account_floor=1.0)
    assert judge(signals, LISTS, PLACES, {}, NOTHING_MOVED, policy) == judge(
        shuffled, LISTS, PLACES, {}, NOTHING_MOVED, policy
    )


@given(ACTS, st.floats(0.0, 5.0))
def test_no_account_ever_weighs_more_than_the_floor_and_all_others(
    acts: list[tuple[str, bool, int, str, str]], floor: float
) -> None:
    evidence = gather(act_out(acts), LISTS, PLACES, NOTHING_MOVED, POLICY)
    accounts = {"cy": "one address", "dee": "one address"}
    totals: dict[str, float] = defaultdict(float)
    for piece in cap_accounts(evidence, accounts, floor):
        totals[accounts.get(piece.actor, piece.actor)] += piece.weight
    if len(totals) < 2:
        return
    everything = sum(totals.values())
    for total in totals.values():
        assert total <= max(floor, everything - total) + 1e-9


@given(ACTS)
def test_every_judgment_is_within_bounds_and_says_why(acts: list[tuple[str, bool, int, str, str]]) -> None:
    for judgment in judge(act_out(acts), LISTS, PLACES, {}, NOTHING_MOVED, POLICY):
        assert 0 <= judgment.relevance <= 1
        assert 0 <= judgment.weight <= 1
        assert len(judgment.reasons) >= len(judgment.signal_ids) > 0
        assert judgment.conflict == ("people disagree" in judgment.reasons[-1])


def test_a_lone_account_is_not_capped_since_it_outvotes_nobody() -> None:
    says = Says()
    for chunk in range(1, 9):
        says(SignalKind.CHUNK_VOTE, True, chunk)
    assert {j.weight for j in judged(says, policy=Policy(account_floor=1.0)).values()} == {1.0}


def test_an_account_with_more_weight_than_all_others_is_scaled_down_to_theirs() -> None:
    says = Says()
    for chunk in range(1, 9):
        says(SignalKind.CHUNK_VOTE, True, chunk, actor="loud")
    says(SignalKind.CHUNK_VOTE, True, 9, actor="ann")
    says(SignalKind.CHUNK_VOTE, True, 10, actor="bob")
    made = judged(says, policy=Policy(account_floor=1.0))
    assert [made[chunk].weight for chunk in range(1, 9)] == pytest.approx([2 / 8] * 8)
    assert (made[9].weight, made[10].weight) == (1.0, 1.0)
