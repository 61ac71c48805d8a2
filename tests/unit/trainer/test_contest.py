from __future__ import annotations

from dataclasses import replace

import pytest

from store.evaluations import EvalRow
from store.types import Blend, EvalQuery, Split
from trainer.contest import Arm, Contest, Served
from trainer.metrics import measure

QUERY = EvalQuery(1, "q", Split.TRAIN, ("a", "b", "c"), (0.9, 0.8, 0.7), (0.0, 0.0, 0.0), {"b": 1.0})
RANKING = ("b", "a", "c")
ROW = EvalRow("challenger", "out_of_fold", 1, "q", measure(RANKING, QUERY.relevance), RANKING)
PLAIN = Arm(Blend(1.0, 0.0, 0.0), None, {}, lambda: False)


def served(groups: frozenset[int] = frozenset({1})) -> Served:
    return Served({1: ROW}, {1: frozenset("abc")}, groups, frozenset({7}), PLAIN)


def test_a_trained_group_has_its_stored_ranking_measured_by_todays_truth() -> None:
    (one,) = served().out_of_fold([replace(QUERY, relevance={"a": 1.0})])
    assert one.ranking == RANKING
    assert one.metrics["mrr@10"] == pytest.approx(0.5)


def test_a_group_it_never_trained_on_is_ranked_by_the_version_itself() -> None:
    (one,) = served(frozenset()).out_of_fold([QUERY])
    assert one.ranking == ("a", "b", "c")


@pytest.mark.parametrize(
    "today",
    [
        replace(QUERY, content_hashes=("a", "b", "new"), relevance={"b": 1.0}),
        replace(QUERY, content_hashes=("a", "b", "c", "new"), relevance={"new": 1.0}),
        replace(QUERY, group_id=2),
    ],
    ids=["it ranked a chunk that has left", "the right chunk came later", "nothing is stored"],
)
def test_a_stored_ranking_that_could_not_be_todays_is_no_evidence(today: EvalQuery) -> None:
    assert served(frozenset({1, 2})).out_of_fold([today]) == []


def test_a_version_is_not_measured_by_what_it_was_trained_on() -> None:
    ranked = served().unheard([QUERY, replace(QUERY, group_id=2)], {1: (6, 7), 2: (8, 9)})
    assert [one.query.group_id for one in ranked] == [2]


def test_a_stored_ranking_of_other_words_is_no_evidence() -> None:
    """Everybody else is ranked on today's list, whose words are another question for every model."""
    assert served().out_of_fold([replace(QUERY, query="how is it done")]) == []
    assert [one.ranking for one in served().out_of_fold([replace(QUERY, query=" Q ?")])] == [RANKING]


def test_a_reworded_group_is_compared_only_where_every_arm_ranked_the_same_words() -> None:
    today = [QUERY, EvalQuery(2, "new words", Split.TRAIN, ("a", "b"), (0.9, 0.8), (0.0, 0.0), {"b": 1.0})]
    rows = {1: ROW, 2: replace(ROW, group_id=2, query="old words", ranking=("b", "a"))}
    champion = Served(rows, {1: frozenset("abc"), 2: frozenset("ab")}, frozenset({1, 2}), frozenset(), PLAIN)
    contest = Contest("out_of_fold", {"challenger": PLAIN.rank(today), "champion": champion.out_of_fold(today)})
    assert contest.common().scores().champion.keys() == contest.common().scores().challenger.keys() == {1}


def test_a_new_wrong_candidate_does_not_cost_the_evidence() -> None:
    today = replace(QUERY, content_hashes=("a", "b", "c", "new"))
    assert [one.ranking for one in served().out_of_fold([today])] == [RANKING]


def test_truth_that_no_arm_has_among_its_candidates_plays_no_part() -> None:
    today = replace(QUERY, relevance={"b": 1.0, "elsewhere": 1.0})
    assert len(served().out_of_fold([today])) == 1
