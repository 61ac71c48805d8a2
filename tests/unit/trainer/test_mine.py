from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.types import Impression, Judgment, Pair, PairSource, SignalKind, Split, Vector
from tests.unit.trainer.world import NOTHING_MOVED, Says, impression, text_of
from trainer.evidence import Known
from trainer.follow import Followed, How
from trainer.judgments import judgment_id
from trainer.mine import MinePolicy, Passages, mine, passed_over

OPEN = MinePolicy(hard=6, random=2, share=10.0)
"""No filter by score, so that counts can be stated."""


def judgment(
    chunk: int, relevance: float = 1.0, weight: float = 1.0, group: int = 1, strong: bool = True, retired: bool = False
) -> Judgment:
    return Judgment(
        id=judgment_id(group, text_of(chunk)),
        group_id=group,
        query="q",
        content_hash=text_of(chunk),
        chunk_id=chunk,
        relevance=relevance,
        weight=weight,
        strong=strong,
        sources=(PairSource.CHUNK_VOTE,),
        reasons=("ann: voted",),
        signal_ids=(1,),
        actors=("ann",),
        retired=retired,
    )


def passages(
    vectors: Mapping[str, Vector] | None = None,
    symbols: Mapping[str, str] | None = None,
    queries: Mapping[int, Vector] | None = None,
    lexical: Mapping[tuple[int, str], float] | None = None,
    shown: Mapping[int, frozenset[str]] | None = None,
) -> Passages:
    return Passages(vectors or {}, symbols or {}, queries or {}, lexical or {}, shown=shown or {})


def mined(
    judgments: Sequence[Judgment],
    lists: Mapping[int, Impression],
    policy: MinePolicy = OPEN,
    known: Passages | None = None,
    splits: Mapping[int, Split] | None = None,
    seed: int = 0,
) -> list[Pair]:
    sides = splits or dict.fromkeys(lists, Split.TRAIN)
    return mine(judgments, lists, sides, known or passages(), np.random.default_rng(seed), policy)


def hard(pairs: Sequence[Pair]) -> list[int]:
    return [int(p.content_hash[4:]) for p in pairs if p.source is PairSource.HARD_NEGATIVE]


def two_lists() -> dict[int, Impression]:
    return {1: impression("a", "one"), 2: impression("b", "two", chunk_ids=range(101, 161))}


def test_a_positive_gets_hard_and_easy_negatives_that_say_why() -> None:
    pairs = mined([judgment(3), judgment(103, group=2)], two_lists())
    own = [pair for pair in pairs if pair.group_id == 1]
    assert Counter(pair.source for pair in own) == {
        PairSource.CHUNK_VOTE: 1,
        PairSource.HARD_NEGATIVE: OPEN.hard,
        PairSource.RANDOM_NEGATIVE: OPEN.random,
    }
    assert {pair.query for pair in own} == {"one"}
    assert all(pair.reason for pair in own)
    assert {int(p.content_hash[4:]) >= 101 for p in own if p.source is PairSource.RANDOM_NEGATIVE} == {True}


def test_hard_negatives_are_spread_over_the_depth() -> None:
    ranks = hard(mined([judgment(3)], {1: impression()}))
    assert [(rank - 1) * OPEN.hard // OPEN.depth for rank in ranks] == list(range(OPEN.hard))


def test_nothing_deeper_than_the_depth_is_mined() -> None:
    policy = MinePolicy(hard=50, random=0, depth=20, share=10.0)
    assert set(hard(mined([judgment(3)], {1: impression(chunk_ids=range(1, 101))}, policy))) == set(range(1, 21)) - {3}


def test_candidates_scored_like_the_positive_are_left_out() -> None:
    # The positive at rank 31 has cosine 0.50: above 0.95 * 0.50 = 0.475 are the ranks up to 33.
    policy = MinePolicy(hard=60, random=0, share=0.95)
    assert min(hard(mined([judgment(31, strong=False)], {1: impression()}, policy))) == 34


def test_what_stood_before_a_person_who_named_another_chunk_was_passed_over_and_stays() -> None:
    policy = MinePolicy(hard=60, random=0, share=0.95)
    eight = {1: frozenset(text_of(n) for n in range(1, 9))}
    ranks = hard(mined([judgment(31, strong=True)], {1: impression()}, policy, passages(shown=eight)))
    assert ranks[:9] == [1, 2, 3, 4, 5, 6, 7, 8, 34]


def test_what_nobody_who_named_a_chunk_was_shown_is_left_out_where_it_scores_like_the_positive() -> None:
    policy = MinePolicy(hard=60, random=0, share=0.95)
    assert min(hard(mined([judgment(31, strong=True)], {1: impression(shown=8)}, policy))) == 34


def test_texts_are_passed_over_by_those_who_named_a_right_chunk_in_that_answer() -> None:
    lists = {"a": impression("a", "q", shown=3), "b": impression("b", "r", shown=5), "c": impression("c", "s", shown=5)}
    says = Says()
    says(SignalKind.CHUNK_VOTE, False, 1, answer_id="b")
    says(SignalKind.THUMB, "up", answer_id="b")
    told = [judgment(2), judgment(40), judgment(1, relevance=0.0, group=2)]
    assert passed_over(says.made, lists, {"q": 1, "r": 2}, told, NOTHING_MOVED) == {}
    says(SignalKind.CHUNK_VOTE, True, 2, answer_id="a")
    says(SignalKind.CORRECTION, True, 40, answer_id="c")
    three = frozenset(text_of(n) for n in (1, 2, 3))
    # "s" is bridged: it has no group here
    assert passed_over(says.made, lists, {"q": 1, "r": 2}, told, NOTHING_MOVED) == {1: three}
    found = passed_over(says.made, lists, {"q": 1, "s": 1}, told, Known({40: text_of(40)}, {}))
    assert found == {1: frozenset(text_of(n) for n in range(1, 6))}


@pytest.mark.parametrize(
    "held",
    [
        replace(judgment(2), vetoed=True),
        judgment(2, relevance=0.5, weight=0.0),
        judgment(2, relevance=0.25, weight=0.5),
        judgment(2, retired=True),
    ],
    ids=["vetoed", "contradicted", "outvoted", "gone"],
)
def test_nothing_is_passed_over_for_a_chunk_that_is_not_held_right(held: Judgment) -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 2)
    rated = {"a": impression("a", "q", shown=3)}
    assert passed_over(says.made, rated, {"q": 1}, [held, judgment(9)], NOTHING_MOVED) == {}
    assert passed_over(says.made, rated, {"q": 1}, [judgment(2)], NOTHING_MOVED).keys() == {1}


def test_a_chunk_named_right_is_known_by_what_it_has_become() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 2)
    known = Known({}, {text_of(2): Followed(text_of(99), 99, How.CHANGED)})
    assert passed_over(says.made, {"a": impression("a", "q", shown=3)}, {"q": 1}, [judgment(99)], known).keys() == {1}


ALL = MinePolicy(hard=60, random=8, share=10.0)


@pytest.mark.parametrize(
    "unsettled",
    [
        judgment(5, relevance=0.5, weight=0.0),
        replace(judgment(5), vetoed=True),
        replace(judgment(5, relevance=0.0), vetoed=True),
        judgment(5, weight=0.0),
        judgment(5, retired=True),
    ],
    ids=["contradicted in equal measure", "vetoed positive", "vetoed negative", "bridged", "gone"],
)
def test_what_a_judgment_leaves_open_is_in_no_pair_of_its_question(unsettled: Judgment) -> None:
    """A veto would else turn a positive into a negative of full weight, and leave a wrong negative in place."""
    lists = {1: impression(), 2: impression("b", "two", chunk_ids=[5, *range(101, 161)])}
    told = [judgment(3), judgment(103, group=2)]
    seen = passages(shown={1: frozenset(text_of(n) for n in range(1, 9))})

    def of_group_1(judgments: Sequence[Judgment], seed: int) -> set[str]:
        pairs = mined(judgments, lists, ALL, seen, seed=seed)
        return {pair.content_hash for pair in pairs if pair.group_id == 1}

    for seed in range(5):
        assert text_of(5) not in of_group_1([*told, unsettled], seed)
        assert text_of(5) in of_group_1(told, seed), "it would be mined if nobody had spoken of it"
    other = {pair.content_hash for pair in mined([*told, unsettled], lists, ALL, seen) if pair.group_id == 2}
    assert text_of(5) in other, "another question has its own truth"


def test_a_text_that_a_judgment_leaves_open_is_no_random_negative_either() -> None:
    lists = {1: impression(), 2: impression("b", "two", chunk_ids=range(101, 106))}
    told = [judgment(3), judgment(103, group=2), replace(judgment(104), vetoed=True)]
    easy = {p.content_hash for p in mined(told, lists, ALL) if p.group_id == 1 and int(p.content_hash[4:]) > 100}
    assert easy == {text_of(n) for n in (101, 102, 103, 105)}


def test_the_older_text_of_a_judged_chunk_is_not_mined() -> None:
    """The list was logged before the code changed; the judgment is about what its chunk has become."""
    moved = Passages({}, {}, {}, {}, moved={text_of(5): text_of(905), text_of(6): text_of(906)})
    told = [judgment(3), replace(judgment(905), vetoed=True), judgment(906, relevance=0.0)]
    assert set(hard(mined(told, {1: impression()}, ALL, moved))) == set(range(1, 61)) - {3, 5, 6}


def weakly_against(chunk: int) -> Judgment:
    return judgment(chunk, relevance=0.0, weight=0.05, strong=False)


def test_what_a_weak_signal_speaks_against_passes_the_filter_of_mined_negatives() -> None:
    """Skipped above a click, or cited in an answer with a thumb down: it may be right all the same."""
    policy = MinePolicy(hard=0, random=0, share=0.95)
    east, near = np.array([1.0, 0.0], np.float32), np.array([0.96, 0.28], np.float32)
    known = passages({text_of(31): east, text_of(40): near}, {text_of(31): "parse", text_of(41): "parse"})
    against = [weakly_against(n) for n in (10, 33, 34, 40, 41, 42)]
    kept = {int(p.content_hash[4:]) for p in mined([judgment(31), *against], {1: impression()}, policy, known)}
    assert kept == {31, 34, 42}, "10 and 33 score like the positive, 40 is its double, 41 has its symbol"
    strong = [replace(one, strong=True) for one in against]
    assert len(mined([judgment(31), *strong], {1: impression()}, policy, known)) == 7, "a person said so"


def test_a_weak_negative_that_a_person_passed_over_stays_whatever_its_score() -> None:
    policy = MinePolicy(hard=60, random=0, share=0.95)
    seen = passages(shown={1: frozenset({text_of(10)})})
    pairs = mined([judgment(31), weakly_against(10), weakly_against(11)], {1: impression()}, policy, seen)
    weak = {int(p.content_hash[4:]): p.weight for p in pairs if p.weight < 1}
    assert weak == {10: 0.05}
    assert 11 not in hard(pairs), "left out, not mined in its place"


def test_the_best_positive_sets_the_limit() -> None:
    policy = MinePolicy(hard=60, random=0, share=0.95)
    pairs = mined([judgment(31, strong=False), judgment(11, strong=False)], {1: impression(shown=0)}, policy)
    assert min(hard(pairs)) == 1 + next(rank for rank in range(1, 61) if 0.80 - 0.01 * rank <= 0.95 * 0.70)


def test_near_duplicates_and_the_same_symbol_are_left_out() -> None:
    east, north = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)
    near = np.array([0.96, 0.28], np.float32)
    vectors = {text_of(3): east, text_of(4): near, text_of(5): north}
    symbols = {text_of(3): "parse", text_of(6): "parse", text_of(7): "other"}
    policy = MinePolicy(hard=60, random=0, share=10.0)
    ranks = hard(mined([judgment(3)], {1: impression()}, policy, passages(vectors, symbols)))
    assert {4, 6}.isdisjoint(ranks)
    assert {5, 7} <= set(ranks)


def test_judged_chunks_are_never_mined_and_keep_their_weight() -> None:
    policy = MinePolicy(hard=60, random=0, share=10.0)
    pairs = mined([judgment(3), judgment(5, relevance=0.0, weight=0.25)], {1: impression()}, policy)
    assert {3, 5}.isdisjoint(hard(pairs))
    voted = {p.content_hash: (p.label, p.weight) for p in pairs if p.source is PairSource.CHUNK_VOTE}
    assert voted == {text_of(3): (1.0, 1.0), text_of(5): (0.0, 0.25)}


def test_a_weak_signal_names_no_right_chunk_beside_a_strong_one() -> None:
    lists = {1: impression("a", chunk_ids=(1, 2, 3, 4))}
    told = [judgment(2), judgment(1, weight=0.1, strong=False), judgment(3, relevance=0.0, weight=0.05, strong=False)]
    labels = {pair.content_hash: pair.label for pair in mined(told, lists)}
    assert labels[text_of(2)] == 1
    assert labels[text_of(1)] == labels[text_of(3)] == 0
    (said,) = [pair.reason for pair in mined(told, lists) if pair.content_hash == text_of(1)]
    assert "the same person named another chunk" in said
    alone = {pair.content_hash: pair.label for pair in mined(told[1:], lists)}
    assert alone[text_of(1)] == 1


def test_what_somebody_else_liked_is_no_negative() -> None:
    liked = replace(judgment(1, weight=0.1, strong=False), actors=("bob",))
    texts = {pair.content_hash for pair in mined([judgment(2), liked], {1: impression("a", chunk_ids=(1, 2, 3, 4))})}
    assert texts == {text_of(2), text_of(3), text_of(4)}


def test_negatives_weigh_what_their_best_positive_weighs() -> None:
    pairs = mined([judgment(3, weight=0.125), judgment(9, weight=0.5)], {1: impression()})
    assert {p.weight for p in pairs if p.source is PairSource.HARD_NEGATIVE} == {0.5}


def test_groups_without_a_positive_give_no_pairs() -> None:
    assert mined([judgment(3, relevance=0.0)], {1: impression()}) == []


def test_weightless_retired_and_held_out_judgments_give_no_pairs() -> None:
    assert mined([judgment(3, weight=0.0)], {1: impression()}) == []
    assert mined([judgment(3, retired=True)], {1: impression()}) == []
    assert mined([judgment(3)], {1: impression()}, splits={1: Split.HELD_OUT}) == []


def test_a_positive_that_was_no_candidate_takes_its_scores_from_vectors_and_the_lexical_index() -> None:
    query, text = np.array([1.0, 0.0], np.float32), np.array([0.6, 0.8], np.float32)
    known = passages({text_of(999): text}, {}, {1: query}, {(1, text_of(999)): 0.5})
    pairs = mined([judgment(999)], {1: impression()}, OPEN, known)
    assert pairs[0].dense_score == pytest.approx(0.6)
    assert pairs[0].lexical_score == 0.5


def test_easy_negatives_never_come_from_the_own_list() -> None:
    same = {1: impression("a", "one"), 2: impression("b", "two")}
    pairs = mined([judgment(3), judgment(4, group=2)], same)
    assert [p for p in pairs if p.source is PairSource.RANDOM_NEGATIVE] == []


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 70), st.floats(0, 1), st.floats(0, 1)),
        max_size=25,
        unique_by=lambda one: one[:2],
    ),
    st.sets(st.integers(1, 4)),
    st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_pairs_are_lawful_whatever_was_judged(
    judged: list[tuple[int, int, float, float]], held_out: set[int], seed: int
) -> None:
    lists = {
        group: impression(f"a{group}", f"q{group}", chunk_ids=range(group * 10, group * 10 + 60))
        for group in range(1, 5)
    }
    splits = {group: Split.HELD_OUT if group in held_out else Split.TRAIN for group in lists}
    judgments = [judgment(chunk, relevance, weight, group) for group, chunk, relevance, weight in judged]
    pairs = mined(judgments, lists, MinePolicy(), splits=splits, seed=seed)
    assert not {pair.group_id for pair in pairs} & held_out
    assert len({(pair.group_id, pair.content_hash) for pair in pairs}) == len(pairs)
    for group in {pair.group_id for pair in pairs}:
        labels = {pair.label for pair in pairs if pair.group_id == group}
        assert 1.0 in labels
    assert all(0 < pair.weight <= 1 and pair.reason for pair in pairs)
    again = mined(list(reversed(judgments)), lists, MinePolicy(), splits=splits, seed=seed)
    assert again == pairs
