"""What makes the other figures worth anything must be able to say no: was there work, was it struck, was it kept?"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bench.faults.aims import MUST_STRIKE, UNKNOWN_S, Aim
from bench.faults.audit import Audit
from bench.faults.backups import Rating, Taken, _of_ratings
from bench.faults.disk import LEFT_MB, Night, _between
from bench.faults.kills import ENOUGH, Toll, _lively
from bench.faults.nights import Nights
from bench.faults.people import MOVES, Boss
from bench.faults.site import Site
from rankloop.client import Client

THUMB: Rating = ("a1", "writer-0", "thumb", None, "up")
VOTE: Rating = ("a1", "writer-0", "chunk_vote", 7, "true")
KEPT = [("a1", "writer-0", "thumb", None, '"up"'), ("a1", "writer-0", "chunk_vote", 7, "true")]


@pytest.mark.parametrize(("at_work", "looks", "holds"), [(9, 10, True), (8, 10, False), (1, 600, False), (0, 0, False)])
def test_a_night_must_be_at_work_nearly_all_the_time(at_work: int, looks: int, holds: bool) -> None:
    nights = Nights(cast(Site, SimpleNamespace()), looks=looks, at_work=at_work)
    assert nights.check().holds is holds


def test_a_backup_holds_each_acknowledged_rating_once() -> None:
    taken = Taken(Path("backup.tar"), 1, frozenset({THUMB, VOTE}), meanwhile=1)
    assert _of_ratings(taken, KEPT) == []
    assert _of_ratings(taken, [*KEPT, ("later", "writer-1", "thumb", None, '"up"')]) == []
    assert "1 of 2 acknowledged ratings lost" in _of_ratings(taken, KEPT[:1])[0]
    assert "1 of 2 acknowledged ratings lost" in _of_ratings(taken, [KEPT[0], (*KEPT[1][:4], "false")])[0]
    assert "1 of 2 acknowledged ratings doubled" in _of_ratings(taken, [*KEPT, KEPT[1]])[0]


def test_the_room_with_which_publishing_fails_is_searched_between_too_little_and_enough() -> None:
    short, enough = Night(0.5, "failed", "finetune"), Night(3.0, "succeeded", "done")
    assert _between([short, enough]) == (0.5 + 3.0) / 2
    assert _between([short, enough, Night(2.0, "failed", "publish")]) is None
    assert _between([short, enough, Night(1.0, "succeeded", "done", stuck="dataset")]) == (1.0 + 3.0) / 2
    assert _between([short]) == (0.5 + max(LEFT_MB)) / 2


def lively(struck: dict[str, int], published: int, succeeded: int, moves: dict[str, int], points: int) -> list[object]:
    served = site([("succeeded", succeeded), ("failed", 1)])
    toll = Toll(Audit(served), stages=Counter(struck))
    boss = Boss(cast(Client, SimpleNamespace()), random.Random(1), moves=Counter(moves))
    return [check.holds for check in _lively(served, toll, boss, points, published)]


def test_kills_that_struck_nothing_or_let_nothing_through_prove_nothing() -> None:
    every, both = dict.fromkeys(MUST_STRIKE, 1), dict.fromkeys(MOVES, 1)
    assert lively(every, 10, 10, both, 100) == [True] * 4
    assert lively({**every, "publish": 0}, 9, 9, {MOVES[0]: 5}, 100) == [False] * 4
    assert lively({}, 0, 0, {}, ENOUGH - 1) == [None] * 4


def test_a_stage_that_was_struck_says_nothing_of_its_length() -> None:
    events = [
        (2, "stage", "dataset", "2026-11-22 11:00:00.000000"),
        (2, "stage", "finetune", "2026-11-22 11:00:02.000000"),
        (2, "stage", "dataset", "2026-11-22 11:00:50.000000"),  # its trainer was killed
        (2, "stage", "finetune", "2026-11-22 11:00:51.000000"),
        (2, "stage", "out_of_fold", "2026-11-22 11:00:54.500000"),
    ]
    aim = Aim(site(events), random.Random(1))
    assert aim.length("finetune") == 3.5
    assert aim.length("dataset") == (2 + 1) / 2
    assert aim.length("out_of_fold") == UNKNOWN_S


def site(rows: Sequence[tuple[object, ...]]) -> Site:
    """A database that answers whatever it is asked with these rows."""
    return cast(Site, SimpleNamespace(rows=lambda _: rows))
