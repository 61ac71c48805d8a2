from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from store.judgments import Override
from store.types import Impression, Judgment, PairSource, SignalKind
from tests.unit.trainer.world import NOTHING_MOVED, NOW, Says, impression, place, text_of
from trainer.evidence import Known, Place, Policy
from trainer.follow import Followed, How
from trainer.judgments import is_truth, judge, judgment_id, trains

POLICY = Policy()
QUERY = "where is the parser"


def judged(
    says: Says,
    impressions: Mapping[str, Impression] | None = None,
    places: Mapping[str, Place] | None = None,
    known: Known = NOTHING_MOVED,
    policy: Policy = POLICY,
) -> dict[int, Judgment]:
    """Judgments by chunk id."""
    lists = impressions or {"a": impression(cited=(1, 2))}
    made = judge(says.made, lists, places or {QUERY: place()}, {}, known, policy)
    return {int(judgment.content_hash.removeprefix("text")): judgment for judgment in made}


def test_thumb_up_is_shared_among_the_cited_chunks_and_says_nothing_of_others() -> None:
    says = Says()
    says(SignalKind.THUMB, "up")
    made = judged(says, {"a": impression(cited=(3, 5))})
    assert set(made) == {3, 5}
    for judgment in made.values():
        assert judgment.relevance == 1.0
        assert judgment.weight == pytest.approx(POLICY.thumb_up / 2)
        assert not judgment.strong
        assert judgment.sources == (PairSource.THUMB,)
        assert judgment.reasons == ("ann: thumb up for an answer that cites it with 1 more",)


def test_a_vote_on_one_cited_chunk_leaves_the_others_their_share_of_the_thumb() -> None:
    says = Says()
    says(SignalKind.THUMB, "up")
    says(SignalKind.CHUNK_VOTE, True, 3)
    made = judged(says, {"a": impression(cited=(3, 5))})
    assert made[3].weight == POLICY.vote
    assert made[5].weight == pytest.approx(POLICY.thumb_up / 2)


def test_thumb_up_on_an_answer_that_cites_nothing_judges_nothing_not_even_rank_one() -> None:
    says = Says()
    says(SignalKind.THUMB, "up")
    assert judged(says, {"a": impression(cited=())}) == {}


@pytest.mark.parametrize(
    ("stars", "relevance", "weight"),
    [(5, 1.0, POLICY.stars[5]), (4, 1.0, POLICY.stars[4]), (2, 0.0, POLICY.stars[2]), (1, 0.0, POLICY.stars[1])],
)
def test_stars(stars: int, relevance: float, weight: float) -> None:
    says = Says()
    says(SignalKind.STARS, stars)
    made = judged(says, {"a": impression(cited=(1, 2))})
    assert {chunk: j.relevance for chunk, j in made.items()} == {1: relevance, 2: relevance}
    assert [j.weight for j in made.values()] == pytest.approx([weight / 2, weight / 2])


def test_three_stars_say_nothing() -> None:
    says = Says()
    says(SignalKind.STARS, 3)
    assert judged(says) == {}


def test_thumb_down_is_a_weak_negative_for_the_cited_only() -> None:
    says = Says()
    says(SignalKind.THUMB, "down")
    made = judged(says, {"a": impression(cited=(2,))})
    assert set(made) == {2}
    assert (made[2].relevance, made[2].weight, made[2].strong) == (0.0, POLICY.thumb_down, False)


def test_a_direct_vote_takes_its_chunk_out_of_the_shared_credit() -> None:
    says = Says()
    says(SignalKind.THUMB, "up")
    says(SignalKind.CHUNK_VOTE, False, 1)
    made = judged(says, {"a": impression(cited=(1, 2))})
    assert (made[1].relevance, made[1].strong, made[1].weight) == (0.0, True, POLICY.vote)
    assert made[2].weight == pytest.approx(POLICY.thumb_up)


def test_correction_may_name_a_chunk_that_was_never_a_candidate() -> None:
    says = Says()
    says(SignalKind.CORRECTION, True, 999)
    made = judged(says, known=Known({999: text_of(999)}, {}))
    assert (made[999].relevance, made[999].weight, made[999].strong) == (1.0, POLICY.correction, True)
    assert "not among the candidates" in made[999].reasons[0]


def test_the_latest_correction_of_an_answer_replaces_the_one_before() -> None:
    says = Says()
    says(SignalKind.CORRECTION, True, 4)
    says(SignalKind.CORRECTION, True, 6)
    assert set(judged(says)) == {6}


def test_clicks_speak_for_the_chunk_and_against_what_was_shown_above_it_and_passed_over() -> None:
    says = Says()
    says(SignalKind.CLICK, True, 2)
    says(SignalKind.CLICK, True, 4)
    made = judged(says)
    assert {chunk: j.relevance for chunk, j in made.items()} == {1: 0.0, 2: 1.0, 3: 0.0, 4: 1.0}
    assert {chunk: j.weight for chunk, j in made.items()} == {1: 0.05, 2: 0.1, 3: 0.05, 4: 0.1}
    assert made[3].reasons == ("ann: passed over at rank 3 for a click at rank 4",)


def test_a_click_beyond_what_was_shown_says_nothing() -> None:
    says = Says()
    says(SignalKind.CLICK, True, 30)
    assert judged(says, {"a": impression(shown=8)}) == {}


def test_the_latest_vote_of_an_actor_wins_and_a_retraction_removes_it() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 1)
    says(SignalKind.CHUNK_VOTE, False, 1)
    assert judged(says)[1].relevance == 0.0
    says(SignalKind.CHUNK_VOTE, None, 1)
    assert judged(says) == {}


def test_the_latest_vote_wins_when_the_question_was_asked_again_in_other_words() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 1, answer_id="a")
    says(SignalKind.CHUNK_VOTE, False, 1, answer_id="b")
    lists = {"a": impression("a", "parser where"), "b": impression("b", "where parser")}
    made = judged(says, lists, {"parser where": place(7), "where parser": place(7)})
    assert [(j.relevance, j.conflict, j.signal_ids) for j in made.values()] == [(0.0, False, (2,))]


def test_judgments_merge_over_people_and_paraphrases() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 1, actor="ann", answer_id="a")
    says(SignalKind.CHUNK_VOTE, True, 1, actor="bob", answer_id="b")
    lists = {"a": impression("a", "parser where"), "b": impression("b", "where parser")}
    made = judged(says, lists, {"parser where": place(7), "where parser": place(7)})
    assert len(made) == 1
    assert made[1].actors == ("ann", "bob")
    assert made[1].signal_ids == (1, 2)
    assert made[1].weight == 1.0


def test_a_contradiction_lowers_the_weight_and_is_flagged() -> None:
    says = Says()
    for actor, value in (("ann", True), ("bob", True), ("cy", False)):
        says(SignalKind.CHUNK_VOTE, value, 1, actor=actor)
    made = judged(says)[1]
    assert made.conflict
    assert made.relevance == pytest.approx(2 / 3)
    assert made.weight == pytest.approx((2 - 1) / 3)
    assert "people disagree" in made.reasons[-1]


def test_an_even_contradiction_weighs_nothing_and_is_no_truth() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 1, actor="ann")
    says(SignalKind.CHUNK_VOTE, False, 1, actor="bob")
    made = judged(says)[1]
    assert (made.weight, made.conflict, trains(made), is_truth(made)) == (0.0, True, False, False)


@pytest.mark.parametrize(
    ("right", "wrong", "truth"),
    [(1, 0, True), (100, 99, False), (2, 1, False), (29, 10, False), (3, 1, True), (1, 3, True), (1, 2, False)],
)
def test_what_many_contradict_trains_and_is_no_truth(right: int, wrong: int, truth: bool) -> None:
    """Truth from three voices to one: then it weighs half of what it would."""
    says = Says()
    for number in range(right + wrong):
        says(SignalKind.CHUNK_VOTE, number < right, 1, actor=f"rater{number}")
    made = judged(says)[1]
    assert trains(made)
    assert is_truth(made) is truth
    assert is_truth(made) is (made.weight >= 0.5)


def test_a_person_who_decides_a_contradiction_makes_it_truth() -> None:
    says = Says()
    for number in range(3):
        says(SignalKind.CHUNK_VOTE, number < 2, 1, actor=f"rater{number}")
    lists, places = {"a": impression()}, {QUERY: place()}
    name = judgment_id(1, text_of(1))
    edits = {name: Override(name, "edit", 1.0, "dee", "", NOW)}
    (made,) = judge(says.made, lists, places, edits, NOTHING_MOVED, POLICY)
    assert is_truth(made)


def test_weak_signals_never_add_to_a_strong_judgment() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, False, 1, actor="ann")
    for number in range(20):
        says(SignalKind.THUMB, "up", actor=f"fan{number}")
    made = judged(says, {"a": impression(cited=(1,))})
    assert (made[1].relevance, made[1].strong, made[1].conflict) == (0.0, True, False)


def test_many_weak_signals_weigh_less_than_one_vote() -> None:
    says = Says()
    for number in range(20):
        says(SignalKind.THUMB, "up", actor=f"fan{number}")
    assert judged(says, {"a": impression(cited=(1,))})[1].weight == POLICY.weak_cap < POLICY.vote


def test_signals_of_a_bridged_query_keep_their_words_and_lose_their_weight() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 1)
    made = judged(says, places={QUERY: place(bridged=True)})[1]
    assert made.weight == 0.0
    assert not trains(made)
    assert "held-out" in made.reasons[0]


def test_a_vote_on_a_bridged_wording_takes_nothing_from_an_earlier_one() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 1)
    says(SignalKind.CHUNK_VOTE, True, 1, answer_id="b")
    lists = {"a": impression(), "b": impression("b", "where's the parser")}
    places = {QUERY: place(), "where's the parser": place(bridged=True)}
    made = judged(says, lists, places)[1]
    assert made.weight == POLICY.vote
    assert trains(made)


def test_an_edit_lets_no_bridged_judgment_train() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 1)
    edit = Wish("edit", 1.0)
    name = judgment_id(1, text_of(1))
    for bridged, weight in ((True, 0.0), (False, 1.0)):
        lists, places = {"a": impression()}, {QUERY: place(bridged=bridged)}
        (made,) = judge(says.made, lists, places, {name: edit}, NOTHING_MOVED, POLICY)
        assert (made.weight, made.relevance) == (weight, 1.0)


def test_a_judgment_follows_its_text_and_a_lost_one_retires() -> None:
    says = Says()
    says(SignalKind.CHUNK_VOTE, True, 1)
    says(SignalKind.CHUNK_VOTE, True, 2)
    known = Known(
        {},
        {
            text_of(1): Followed(text_of(100), 100, How.CHANGED, "follows parse to its changed text"),
            text_of(2): Followed(text_of(2), None, How.GONE, "gone"),
        },
    )
    made = judged(says, known=known)
    assert set(made) == {100, 2}
    assert made[100].chunk_id == 100
    assert "follows parse" in made[100].reasons[0]
    assert made[2].retired
    assert not trains(made[2])


@dataclass(frozen=True)
class Wish:
    action: str
    relevance: float | None = None
    actor: str = "lead"
    reason: str = "I know better"


def test_a_veto_and_an_edit_hold_even_after_the_code_changed() -> None:
    says = Says()
    says(SignalKind.THUMB, "up")
    lists, places = {"a": impression(cited=(1, 2))}, {QUERY: place()}
    known = Known({}, {text_of(1): Followed(text_of(100), 100, How.CHANGED)})
    wishes = {
        judgment_id(1, text_of(1)): Wish("veto"),
        judgment_id(1, text_of(2)): Wish("edit", relevance=0.0),
    }
    made = {j.content_hash: j for j in judge(says.made, lists, places, wishes, known, POLICY)}
    assert made[text_of(100)].vetoed
    assert not trains(made[text_of(100)])
    edited = made[text_of(2)]
    assert (edited.relevance, edited.weight, edited.strong) == (0.0, 1.0, True)
    assert edited.reasons[-1] == "set to relevance 0 by lead: I know better"
