"""What is asked on each day of the week, and what its tables say."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bench.corpus import Corpus, Question, labelled, path_of
from bench.loop.cells import Night
from bench.loop.made import numbers
from bench.loop.nights import OBEYED
from bench.loop.week import AGAIN, DAYS, FRESH, KIN, NEW, OTHER, SAME, finished, plan
from bench.loop.week_report import Day, Week, read_weeks, summary

QUESTIONS = [Question(f"how to do {i}", frozenset({path_of(i)})) for i in range(DAYS * NEW + 50)]
IN_OTHER_WORDS = {one.query: f"{one.query}, please" for one in QUESTIONS}
NIGHT = Night(1, 4, "promote", 1, True, ("It is better.",), 9, 1.0, 60.0, {}, ())


def day(*, nothing: int, served: int, challenger: int, night: Night | None = NIGHT) -> Day:
    """Two questions that are new and one that is asked again, each right place at the same rank."""
    kinds = (FRESH, SAME, FRESH)
    return Day(kinds, ("one", "two", "three"), 0, 1, (nothing,) * 3, (served,) * 3, (challenger,) * 3, night)


def test_each_question_is_new_once_and_asked_again_only_on_later_days() -> None:
    days = plan(QUESTIONS, IN_OTHER_WORDS, seed=3)
    assert len(days) == DAYS + 1
    before: set[frozenset[str]] = set()
    for number, today in enumerate(days):
        new = {one.question.relevant for one in today if one.kind == FRESH}
        again = [one for one in today if one.kind != FRESH]
        assert new.isdisjoint(before)
        assert len({one.question.relevant for one in today}) == len(today), "asked twice on one day"
        assert {one.question.relevant for one in again} <= before
        assert len(again) == (0 if number == 0 else AGAIN if number < DAYS else round(50 * AGAIN / NEW))
        before |= new
    assert before == {one.relevant for one in QUESTIONS}


def test_every_second_repeated_question_is_in_other_words() -> None:
    second = plan(QUESTIONS, IN_OTHER_WORDS, seed=3)[1]
    kinds = [one.kind for one in second]
    assert kinds.count(SAME) == kinds.count(OTHER) == AGAIN // 2
    assert all(one.question.query.endswith("please") == (one.kind == OTHER) for one in second)
    assert all(one.question.query == IN_OTHER_WORDS[one.origin] for one in second if one.kind == OTHER)


def test_other_words_that_somebody_used_before_are_no_other_words() -> None:
    said: set[str] = set()
    repeated = 0
    for today in plan(QUESTIONS, IN_OTHER_WORDS, seed=3):
        for one in today:
            assert (one.question.query in said) == (one.kind == SAME)
            repeated += one.kind == SAME and one.question.query.endswith("please")
        said |= {one.question.query for one in today}
    assert repeated


def test_a_new_question_about_a_place_that_others_asked_for_is_counted_apart() -> None:
    pairs = [Question(f"{one.query}{end}", one.relevant) for one in QUESTIONS[: DAYS * NEW // 2] for end in ("", "?")]
    days = plan(pairs, {one.query: f"{one.query}, please" for one in pairs}, seed=3)
    before: set[frozenset[str]] = set()
    for today in days:
        new = [one for one in today if one.kind in (FRESH, KIN)]
        assert all((one.question.relevant in before) == (one.kind == KIN) for one in new)
        before |= {one.question.relevant for one in new}
    assert any(one.kind == KIN for today in days for one in today)


def test_the_plan_is_the_seed_s() -> None:
    assert plan(QUESTIONS, IN_OTHER_WORDS, 3) == plan(QUESTIONS, IN_OTHER_WORDS, 3)
    assert plan(QUESTIONS, IN_OTHER_WORDS, 3) != plan(QUESTIONS, IN_OTHER_WORDS, 4)


def test_gains_leave_out_the_first_day_and_the_last_day_has_a_table_of_its_own() -> None:
    first = day(nothing=2, served=1, challenger=1)
    second = day(nothing=2, served=2, challenger=1)
    after = day(nothing=4, served=2, challenger=2, night=None)
    text = summary([Week(7, 10, (first, second, second, after))])
    week, last = text.split("day after the week")
    assert "| again | 2 (1) | – | – | +100.0% (" in week, "asked twice, one question"
    assert "| new | 4 (2) | – | – | +100.0% (" in week
    assert "| all | 6 (3) | – | – | +100.0% (" in week
    assert "| new | 2 (2) | +100.0% (+100.0% to +100.0%)" in last
    assert "| 1 | 3 | no reranking | 60 s | promote | 1.000 | 0.500 |" in week
    assert "| 4 | – (3 scored) |" in week
    assert "night 1: It is better." in text


def test_what_served_like_no_reranking_has_no_gain() -> None:
    text = summary([Week(7, 10, (NOTHING, NOTHING, NOTHING))])
    assert "| new | 2 (2) | – | – | +100.0%" in text


def test_the_days_with_a_trained_version_have_a_table_of_their_own() -> None:
    trained = replace(day(nothing=2, served=1, challenger=2), serving=3)
    text = summary([Week(7, 10, (NOTHING, NOTHING, trained, trained))])
    table = text.split("the 2 days on which a trained version served")[1]
    assert "| new | 4 (2) | +100.0% (+100.0% to +100.0%)" in table
    assert "a trained version served" not in summary([Week(7, 10, (NOTHING, NOTHING, NOTHING))])


def test_one_question_asked_often_is_no_more_evidence_than_one_difference() -> None:
    often = Day((SAME,) * 9, ("one",) * 9, 0, 1, (2,) * 9, (1,) * 9, (1,) * 9, NIGHT)
    text = summary([Week(7, 10, (often, often, often))])
    found = re.search(r"\| again \| 9 \(1\) \| \+100.0% \(\+100.0% to \+100.0%\) \| ([\d.]+) \|", text)
    assert found is not None
    assert float(found[1]) == pytest.approx(0.5, abs=0.02)


NOTHING = day(nothing=2, served=2, challenger=1)


def test_a_week_is_kept_as_it_was(tmp_path: Path) -> None:
    week = Week(7, 10, (NOTHING, day(nothing=1, served=1, challenger=1, night=None)), {"made": {"seconds": 1.0}})
    (tmp_path / "week-10-seed07.json").write_text(json.dumps(asdict(week)), encoding="utf-8")
    assert read_weeks(tmp_path) == [week]


def test_a_week_that_other_numbers_made_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "week-10-seed07.json"
    assert not finished(file)
    asked = {"days": DAYS, "new": NEW, "again": AGAIN}
    for made, by, expected in (
        (asked, numbers(OBEYED), True),
        (asked, "0" * 12, False),
        ({**asked, "again": AGAIN + 1}, numbers(OBEYED), False),
    ):
        week = Week(7, 10, (NOTHING,), {"asked": made, "made_with": {"numbers": by}})
        file.write_text(json.dumps(asdict(week)), encoding="utf-8")
        assert finished(file) == expected
    assert summary(read_weeks(tmp_path / "none")) == "Not run yet."


def test_labelled_questions_are_those_the_corpus_has_code_for_and_does_not_ask(tmp_path: Path) -> None:
    corpus = Corpus("c", {"a.py": "def a(): ...", "b.py": "def b(): ..."}, (Question("asked", frozenset({"a.py"})),))
    rows = [
        {"sentence_0": "other", "sentence_1": "def b(): ...", "label": 1},
        {"sentence_0": "other", "sentence_1": "def a(): ...", "label": 0},
        {"sentence_0": "asked", "sentence_1": "def b(): ...", "label": 1},
        {"sentence_0": "elsewhere", "sentence_1": "def c(): ...", "label": 1},
    ]
    (tmp_path / "labelled-pairs-dev.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert labelled(tmp_path, corpus) == (Question("other", frozenset({"b.py"})),)
    with pytest.raises(FileNotFoundError):
        labelled(tmp_path / "none", corpus)
