"""How many more judged questions the gate would need."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from server.needed import ENOUGH_GROUPS, ENOUGH_HELD_OUT, HELD_OUT_SHARE, Needed, needed
from store.overview import JudgedGroup
from store.types import Blend, Decision, Json, Version, VersionForm
from trainer.gate import GatePolicy

MIN_NEW = 20


def groups(right: int, held_out: int = 0, wrong: int = 0) -> list[JudgedGroup]:
    return [JudgedGroup(number, number < held_out, number < right) for number in range(right + wrong)]


def version(decision: Decision, **gate: Any) -> Version:
    return Version(
        id=3,
        name="v",
        form=VersionForm.CROSS_ENCODER,
        base="b",
        parent_id=0,
        snapshot_hash=None,
        path=None,
        blend=Blend(1.0, 0.1, 1.0),
        metrics={"gate": {"groups": 90, **gate}, "judged_groups": list(range(90))},
        decision=decision,
        reasons=(),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        job_id=None,
    )


def ask(found: list[JudgedGroup], stats: Json | None = None, last: Version | None = None) -> Needed:
    learned = () if last is None else last.metrics.get("judged_groups", [])
    return needed(found, stats, last, learned, MIN_NEW)


def test_the_floors_are_the_gates_own() -> None:
    assert (GatePolicy().min_groups, GatePolicy().min_held_out) == (ENOUGH_GROUPS, ENOUGH_HELD_OUT)


def test_with_nothing_judged_the_whole_floor_is_missing() -> None:
    found = ask([])
    assert (found.usable, found.held_out, found.more) == (0, 0, ENOUGH_GROUPS)
    assert f"{ENOUGH_GROUPS} more questions need a right chunk" in found.says[0]
    assert f"{MIN_NEW} more" in found.says[1]


def test_only_a_question_with_a_right_chunk_counts() -> None:
    found = ask(groups(30, held_out=6, wrong=40))
    assert (found.usable, found.held_out) == (30, 6)
    assert found.more == max(ENOUGH_GROUPS - 30, HELD_OUT_SHARE * (ENOUGH_HELD_OUT - 6))


def test_the_figure_is_the_one_that_is_explained_where_both_floors_are_missed() -> None:
    found = ask(groups(5))
    assert found.more == HELD_OUT_SHARE * ENOUGH_HELD_OUT > ENOUGH_GROUPS - 5
    assert f"about {found.more} more questions need a right chunk" in found.says[0]
    assert "5 can be scored so far, 0 of them held out" in found.says[0]
    assert f" {ENOUGH_GROUPS - 5} " not in found.says[0], "two figures for one thing"
    evenly = ask(groups(5, held_out=1))
    assert f"{evenly.more} more questions need a right chunk" in evenly.says[0]


def test_too_few_held_out_need_five_questions_each() -> None:
    found = ask(groups(80, held_out=7))
    assert found.more == HELD_OUT_SHARE * (ENOUGH_HELD_OUT - 7)
    assert "7 of the judged questions are held out" in found.says[0]


def test_what_the_data_set_could_not_score_does_not_count_and_what_came_since_does() -> None:
    stats = {
        "strong_groups": list(range(60)),
        "evaluation_lists": {"train": 30, "held_out": 9},
        "imported_lists": {"train": 4, "held_out": 1},
    }
    found = ask(groups(63, held_out=12), stats)
    assert found.usable == 30 + 9 + 3, "lists of imported passages are no part of either"
    assert found.held_out == 9, "none of the three new ones is held out"


def test_an_unproven_version_says_how_many_more_would_settle_it() -> None:
    last = version(Decision.NOT_PROVEN, needed_groups={"total": 140, "more": 50, "gain": 0.0213, "sd": 0.2})
    found = ask(groups(100, held_out=20), last=last)
    assert found.more == 140 - 100
    assert found.says[0] == (
        "Version 3 was not proven on 90 questions: about 40 more judged ones would settle a gain of 0.021 in ndcg@10."
    )
    assert "10 are, so 10 more" in found.says[1], "ten of the hundred came after version 3"
    later = ask(groups(150, held_out=20), last=last)
    assert (later.more, len(later.says)) == (0, 1)
    assert "train again" in later.says[0]


def test_a_version_that_changes_nothing_is_not_settled_by_more_of_the_same() -> None:
    last = version(Decision.NOT_PROVEN, needed_groups={"total": 50, "more": 0, "gain": 0.01, "sd": 0.0})
    found = ask(groups(150, held_out=20), last=last)
    assert found.more == 0
    assert "prove nothing" in found.says[0]


def test_after_a_promotion_nothing_is_missing() -> None:
    last = version(Decision.PROMOTE)
    assert ask(groups(150, held_out=20), last=last) == Needed(150, 20, 0, ())
    assert ask(groups(150, held_out=20), last=replace(last, metrics={})).says == ()


def test_what_an_earlier_version_learned_from_is_not_new_after_one_that_learned_from_imported_pairs() -> None:
    last = replace(version(Decision.PROMOTE), metrics={"judged_groups": []})
    found = needed(groups(100, held_out=20), None, last, range(90), MIN_NEW)
    assert found.says == ("A night trains once 20 questions are newly judged since version 3: 10 are, so 10 more.",)
