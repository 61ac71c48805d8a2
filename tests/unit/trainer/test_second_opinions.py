from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from store.types import Impression, SignalKind, Split
from tests.unit.trainer.world import NOW, Says, impression, place
from trainer.evidence import Place
from trainer.second_opinions import NO_TRAFFIC, Heard, Traffic, named, opinions, traffic, traffic_of

QUERY, OTHER = "where is the parser", "where is the lexer"


class Days:
    """Answers one day apart: "a" of day 0, "b" of day 1, … and what was said about them."""

    def __init__(self, accounts: Mapping[str, str] | None = None) -> None:
        self.answers: dict[str, Impression] = {}
        self.places: dict[str, Place] = {QUERY: place(1), OTHER: place(2)}
        self.accounts = accounts or {}
        self.says = Says()

    def asked(self, answer_id: str, query: str = QUERY) -> None:
        at = NOW + timedelta(days=len(self.answers))
        self.answers[answer_id] = replace(impression(answer_id, query), created_at=at)

    def vote(self, actor: str, answer_id: str, chunk: int = 3, value: Any = True) -> int:
        return self.says(SignalKind.CHUNK_VOTE, value, chunk, actor, answer_id).id

    @property
    def heard(self) -> Heard:
        return Heard(self.says.made, self.answers, self.places, self.accounts)


def two_people() -> Days:
    days = Days()
    days.asked("a")
    days.asked("b")
    return days


def test_the_last_person_s_word_is_apart_from_what_was_said_before() -> None:
    days = two_people()
    first, second = days.vote("ann", "a"), days.vote("bob", "b", 5)
    against = days.vote("bob", "b", 1, value=False)
    (one,) = opinions(days.heard, ())
    assert (one.group_id, one.own, one.before) == (1, {second, against}, {first})


def test_one_person_has_no_second_opinion_however_often_they_ask() -> None:
    days = two_people()
    days.vote("ann", "a")
    days.vote("ann", "b")
    assert opinions(days.heard, ()) == []


def test_two_names_of_one_account_are_one_person() -> None:
    days = Days(accounts={"tab 1": "client 10.0.0.7", "tab 2": "client 10.0.0.7"})
    days.asked("a")
    days.asked("b")
    days.vote("tab 1", "a")
    days.vote("tab 2", "b")
    assert opinions(days.heard, ()) == []


def test_two_people_about_one_answer_don_t_come_one_after_the_other() -> None:
    days = two_people()
    days.vote("ann", "a")
    days.vote("bob", "a")
    assert opinions(days.heard, ()) == []


@pytest.mark.parametrize(("chunk", "value"), [(3, False), (None, True)])
def test_somebody_must_have_named_a_right_chunk_before(chunk: int | None, value: bool) -> None:
    days = two_people()
    kind = SignalKind.CHUNK_VOTE if chunk else SignalKind.THUMB
    days.says(kind, value if chunk else "up", chunk, "ann", "a")
    days.vote("bob", "b")
    assert opinions(days.heard, ()) == []


def test_a_correction_names_a_right_chunk() -> None:
    days = two_people()
    days.says(SignalKind.CORRECTION, True, 40, "ann", "a")
    days.says(SignalKind.CORRECTION, True, 41, "bob", "b")
    assert [one.group_id for one in opinions(days.heard, ())] == [1]


def test_what_others_said_after_the_last_person_came_is_not_before() -> None:
    days = two_people()
    days.asked("c")
    before = days.vote("ann", "a")
    days.vote("bob", "b")
    days.vote("ann", "c", 7)
    (one,) = opinions(days.heard, ())
    assert one.before == {before}


def test_of_three_people_the_last_one_is_apart() -> None:
    days = two_people()
    days.asked("c")
    said = [days.vote(actor, answer) for actor, answer in (("ann", "a"), ("bob", "b"), ("cat", "c"))]
    (one,) = opinions(days.heard, ())
    assert (one.own, one.before) == ({said[2]}, set(said[:2]))


@pytest.mark.parametrize("where", [place(1, Split.HELD_OUT), place(1, bridged=True)])
def test_held_out_and_bridged_questions_have_none(where: Place) -> None:
    days = two_people()
    days.places[QUERY] = where
    days.vote("ann", "a")
    days.vote("bob", "b")
    assert opinions(days.heard, ()) == []
    assert named(days.heard) == {}


def test_who_also_spoke_about_nearly_the_same_question_is_left_out() -> None:
    days = two_people()
    days.asked("c", OTHER)
    days.vote("ann", "a")
    days.vote("bob", "b")
    assert len(opinions(days.heard, [(1, 2)])) == 1
    days.vote("bob", "c")
    assert opinions(days.heard, [(1, 2)]) == []
    assert len(opinions(days.heard, [(2, 9)])) == 1


def at(days: float) -> datetime:
    return NOW + timedelta(days=days)


def test_traffic_counts_what_somebody_else_had_judged_before() -> None:
    days = two_people()
    days.vote("ann", "a")  # asked on day 0
    asked = [
        (QUERY, "ann", at(0)),  # new
        (QUERY, "ann", at(1)),  # her own
        (" Where is the PARSER? ", "bob", at(1)),  # again
        (QUERY, "cat", at(-1)),  # before anybody judged
        ("another question", "bob", at(2)),
        (OTHER, "bob", at(2)),  # nobody named anything
    ]
    found = traffic(asked, days.heard)
    assert found == Traffic(6, 1)
    assert found.share == pytest.approx(1 / 6)
    assert traffic_of({"traffic": found.as_json()}) == found


def test_no_traffic_has_no_share() -> None:
    assert traffic([], two_people().heard) == NO_TRAFFIC == traffic_of({})
    assert NO_TRAFFIC.share == 0.0
