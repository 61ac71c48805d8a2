from __future__ import annotations

import numpy as np
import pytest

from store.types import Vector
from trainer.evaluate import assign_folds
from trainer.near import joined, near_groups


def at(degrees: float) -> Vector:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], dtype=np.float32)


NEAR = float(np.cos(np.radians(20.5)))
"""Up to 20 degrees apart."""


def test_groups_are_joined_where_any_of_their_queries_are_near() -> None:
    bridge = [(1, at(0)), (2, at(35)), (1, at(18)), (3, at(90)), (4, at(150)), (3, at(95))]
    assert near_groups(bridge, NEAR) == [[1, 2]], "18 joins 1 and is near 2; 3 is near itself only"


def test_what_is_near_in_steps_is_one_set() -> None:
    assert near_groups([(9, at(0)), (4, at(40)), (7, at(20)), (1, at(170)), (2, at(180))], NEAR) == [[1, 2], [4, 7, 9]]
    assert near_groups([], NEAR) == []


def test_many_queries_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [(group, at(group * 30 + shift)) for shift in (0, 3) for group in range(6)]
    many += [(100, at(30 + 20)), (101, at(120 - 20))]
    whole = near_groups(many, NEAR)
    monkeypatch.setattr("trainer.near._BLOCK", 5)
    assert near_groups(many, NEAR) == whole == [[1, 2, 100], [3, 4, 101]]


def test_a_set_that_holds_none_of_the_groups_plays_no_part() -> None:
    assert joined([5, 3, 4], [[1, 2], [4, 9]]) == [[4, 9], [3], [5]]


def test_groups_that_ask_nearly_the_same_share_a_fold() -> None:
    sets = [[1, 2, 3], [10, 11], [40, 99]]
    folds = assign_folds(range(1, 41), 5, 7, sets)
    assert all(len({folds[group] for group in members}) == 1 for members in sets), "99 is trained on only"
    assert folds.keys() == {*range(1, 41), 99}
    assert sorted([folds[group] for group in range(1, 41)].count(fold) for fold in range(5)) == [8] * 5
    assert assign_folds(list(reversed(range(1, 41))), 5, 7, sets) == folds


def test_without_such_groups_folds_are_dealt_as_ever() -> None:
    """Pinned: a night is repeated from a snapshot of an earlier release with its own folds."""
    folds = assign_folds(range(12), 3, 1)
    assert [folds[group] for group in range(12)] == [2, 2, 0, 1, 2, 2, 1, 0, 0, 1, 0, 1]
    assert assign_folds(range(12), 3, 1, [[50, 51]]) == folds
