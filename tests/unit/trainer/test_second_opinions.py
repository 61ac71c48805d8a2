from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from store.types import Impression, Signal, SignalKind, Split
from tests.unit.trainer.world import NOW, impression, place
from trainer.evidence import Place
from trainer.second_opinions import MOST, Opinion, Said, Traffic, opinions, traffic, traffic_of

QUERY, OTHER = "where is the parser", "where is the lexer"


def at(days: float) -> datetime:
    return NOW + timedelta(days=days)


class Days:
    """Answer "a" of noon of day 0, "b" of day 1, … each rated an hour later; a nightly job at every midnight."""

    def __init__(self, accounts: Mapping[str, str] | None = None, nights: bool = True) -> None:
        self.answers: dict[str, Impression] = {}
        self.places: dict[str, Place] = {QUERY: place(1), OTHER: place(2)}
        self.accounts = accounts or {}
        self.nights = [(at(day + 0.5), at(day + 0.6)) for day in range(9)] if nights else []
        self.signals: list[Signal] = []

    def asked(self, *answers: str, query: str = QUERY, day: float | None = None) -> Days:
        for answer_id in answers:
            when = at(len(self.answers) if day is None else day)
            self.answers[answer_id] = replace(impression(answer_id, query), created_at=when)
        return self

    def say(
        self,
        actor: str,
        answer_id: str,
        chunk: int | None = 3,
        value: Any = True,
        kind: SignalKind = SignalKind.CHUNK_VOTE,
        later: float = 0.04,
    ) -> int:
        when = self.answers[answer_id].created_at + timedelta(days=later)
        self.signals.append(Signal(len(self.signals) + 1, answer_id, actor, kind, chunk, value, when))
        return len(self.signals)

    @property
    def said(self) -> Said:
        return Said(self.signals, self.answers, self.places, self.accounts, self.nights)

    def found(self, *near: tuple[int, ...]) -> tuple[Opinion, ...]:
        return opinions(self.said, near).opinions


def two_people() -> Days:
    return Days().asked("a", "b")


def test_the_last_person_s_word_is_apart_from_what_was_said_before() -> None:
    days = two_people()
    first, second = days.say("ann", "a"), days.say("bob", "b", 5)
    against = days.say("bob", "b", 1, value=False)
    (one,) = days.found()
    assert one == Opinion(1, frozenset({second, against}), frozenset({first}), frozenset({second, against}))


def test_one_person_has_no_second_opinion_however_often_they_ask() -> None:
    days = two_people()
    days.say("ann", "a")
    days.say("ann", "b")
    assert days.found() == ()


def test_two_names_of_one_account_are_one_person() -> None:
    days = Days(accounts={"tab 1": "client 10.0.0.7", "tab 2": "client 10.0.0.7"}).asked("a", "b")
    days.say("tab 1", "a")
    days.say("tab 2", "b")
    assert days.found() == ()


def test_two_people_about_one_answer_don_t_come_one_after_the_other() -> None:
    days = two_people()
    days.say("ann", "a")
    days.say("bob", "a")
    assert days.found() == ()


def test_without_a_night_between_them_no_answer_could_have_been_better() -> None:
    days = Days(nights=False).asked("a", "b")
    days.say("ann", "a")
    days.say("bob", "b")
    assert days.found() == ()
    days.nights = [(at(0.02), at(0.5))]
    assert days.found() == (), "the night began before ann had rated"
    days.nights = [(at(0.5), at(1.01))]
    assert days.found() == (), "the night ended after bob had asked"
    days.nights = [(at(0.5), at(0.9))]
    assert len(days.found()) == 1


def test_what_was_said_of_an_early_answer_after_the_last_person_came_is_not_before() -> None:
    days = two_people()
    days.say("ann", "a", later=1.5)
    days.say("bob", "b")
    assert days.found() == ()


@pytest.mark.parametrize(("chunk", "kind"), [(3, SignalKind.CLICK), (None, SignalKind.THUMB)])
def test_somebody_must_have_named_a_right_chunk_before(chunk: int | None, kind: SignalKind) -> None:
    days = two_people()
    days.say("ann", "a", chunk, "up", kind)
    days.say("bob", "b")
    assert days.found() == ()


def test_a_correction_names_a_right_chunk() -> None:
    days = two_people()
    days.say("ann", "a", 40, kind=SignalKind.CORRECTION)
    days.say("bob", "b", 41, kind=SignalKind.CORRECTION)
    assert [one.group_id for one in days.found()] == [1]


def test_what_others_said_after_the_last_person_came_is_dropped() -> None:
    days = two_people().asked("c")
    before, own, after = days.say("ann", "a"), days.say("bob", "b"), days.say("ann", "c", 7)
    (one,) = days.found()
    assert (set(one.before), set(one.dropped)) == ({before}, {own, after})


def test_of_three_people_the_last_one_is_apart() -> None:
    days = two_people().asked("c")
    said = [days.say(actor, answer) for actor, answer in (("ann", "a"), ("bob", "b"), ("cat", "c"))]
    (one,) = days.found()
    assert (set(one.own), set(one.before)) == ({said[2]}, set(said[:2]))


@pytest.mark.parametrize("where", [place(1, Split.HELD_OUT), place(1, bridged=True)])
def test_held_out_and_bridged_questions_have_none(where: Place) -> None:
    days = two_people()
    days.places[QUERY] = where
    days.say("ann", "a")
    days.say("bob", "b")
    assert days.found() == ()


def test_who_also_spoke_about_nearly_the_same_question_is_left_out() -> None:
    days = two_people().asked("c", query=OTHER)
    days.say("ann", "a")
    days.say("bob", "b")
    assert len(days.found((1, 2))) == 1
    days.say("bob", "c", 9, value=False)
    assert days.found((1, 2)) == ()
    assert len(days.found((2, 9))) == 1


def test_who_named_the_same_chunk_for_another_question_is_left_out() -> None:
    days = two_people().asked("c", query=OTHER)
    days.say("ann", "a")
    days.say("bob", "b", 3)
    days.say("bob", "c", 9)
    assert len(days.found()) == 1
    days.say("bob", "c", 3)
    assert days.found() == ()


def test_a_question_that_somebody_disputed_and_left_is_no_agreement() -> None:
    """Ann names a chunk, bob says no and goes, cat agrees with ann: cat alone would make it look right."""
    days = two_people().asked("c")
    days.say("ann", "a")
    no = days.say("bob", "b", value=False)
    days.say("cat", "c")
    assert opinions(days.said, ()).disputed == {1}
    assert days.found() == ()
    days.signals[no - 1] = replace(days.signals[no - 1], chunk_id=8)
    assert len(days.found()) == 1, "bob spoke against something else"


def test_traffic_counts_what_a_night_could_have_learned_from_somebody_else() -> None:
    days = two_people()
    days.say("ann", "a")
    asked = [
        (QUERY, None, "cat", at(-1)),  # before anybody judged
        (QUERY, None, "ann", at(0)),  # new
        (QUERY, None, "dan", at(0.1)),  # on the same day
        (" Where is the PARSER? ", None, "bob", at(1)),  # again
        (QUERY, None, "bob", at(2)),  # he counts once
        (QUERY, "tools", "bob", at(2)),  # of other code
        ("another question", None, "bob", at(2)),
        (OTHER, None, "bob", at(2)),  # nobody named anything
    ]
    found = traffic(asked, days.said, {1, 2})
    assert found == Traffic(7, {1: 1})
    assert traffic_of({"traffic": found.as_json()}) == found
    assert traffic(asked, days.said, {2}) == Traffic(7, {})


def test_who_may_be_the_one_who_judged_is_not_somebody_else() -> None:
    days = Days(accounts={"tab 1": "client 10.0.0.7", "tab 9": "client 10.0.0.9"}).asked("a")
    days.say("tab 1", "a")
    asked = [(QUERY, None, actor, at(2)) for actor in ("tab 2", "tab 9", "bob")]
    assert traffic(asked, days.said, {1}) == Traffic(3, {1: 1}), "of tab 9 the address is known, of tab 2 it isn't"


def test_the_share_is_that_of_the_groups_that_are_measured_and_bounded() -> None:
    made = Traffic(100, {1: 10, 2: 30, 3: 50})
    assert [made.share(groups) for groups in ((), (1,), (1, 2), (7,))] == [0.0, 0.1, 0.4, 0.0]
    assert made.share((1, 2, 3)) == MOST
    assert Traffic().share((1,)) == 0.0
