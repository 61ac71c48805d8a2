from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import InvalidInput
from store.types import Split, Vector
from trainer.split import HELD_OUT_SHARE, Splitter, assign, hash_split


@dataclass(frozen=True)
class Query:
    id: int
    group_id: int
    split: Split
    vector: Vector


def at(degrees: float) -> Vector:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], dtype=np.float32)


THRESHOLD = float(np.cos(np.radians(20.5)))  # queries up to 20 degrees apart are one question


def test_one_fifth_of_new_groups_is_held_out() -> None:
    n = 5_000
    held_out = sum(hash_split(f"question {number}") is Split.HELD_OUT for number in range(n))
    assert held_out / n == pytest.approx(HELD_OUT_SHARE, abs=4 * (0.2 * 0.8 / n) ** 0.5)


def test_the_split_of_a_query_is_the_same_for_ever() -> None:
    # Pinned: another salt would move queries that were trained on into evaluation.
    assert [number for number in range(40) if hash_split(str(number)) is Split.HELD_OUT] == [3, 9, 13, 16, 33, 39]


def test_a_near_query_inherits_group_and_split() -> None:
    known = [Query(1, 7, Split.HELD_OUT, at(0)), Query(2, 8, Split.TRAIN, at(90))]
    assert assign("a", at(20), known, THRESHOLD).group_id == 7
    assert assign("a", at(20), known, THRESHOLD).split is Split.HELD_OUT
    assert assign("a", at(75), known, THRESHOLD).group_id == 8


def test_a_far_query_asks_for_a_group_of_its_own() -> None:
    choice = assign("something new", at(45), [Query(1, 7, Split.HELD_OUT, at(0))], THRESHOLD)
    assert (choice.group_id, choice.split, choice.bridges) == (None, hash_split("something new"), ())


def test_of_several_near_groups_on_one_side_the_nearest_is_inherited() -> None:
    known = [Query(1, 7, Split.TRAIN, at(0)), Query(2, 8, Split.TRAIN, at(25))]
    assert assign("a", at(15), known, THRESHOLD).group_id == 8


def test_a_bridge_joins_the_held_out_side_and_the_train_side_member_leaves_training() -> None:
    known = [Query(1, 7, Split.HELD_OUT, at(0)), Query(2, 8, Split.TRAIN, at(30)), Query(3, 9, Split.TRAIN, at(90))]
    choice = assign("a", at(16), known, THRESHOLD)
    assert (choice.group_id, choice.split, choice.bridges) == (7, Split.HELD_OUT, (2,))


@given(st.lists(st.floats(0, 180), min_size=1, max_size=40))
@settings(max_examples=60)
def test_no_query_that_trains_is_ever_within_the_threshold_of_a_held_out_one(angles: list[float]) -> None:
    splitter = Splitter((), THRESHOLD)
    sides: list[Split] = []
    bridged: set[int] = set()
    groups = 0
    for number, angle in enumerate(angles):
        choice = splitter.assign(f"question at {angle}", at(angle))
        groups += choice.group_id is None
        splitter.add(number, groups if choice.group_id is None else choice.group_id, choice.split, at(angle))
        sides.append(choice.split)
        bridged.update(choice.bridges)
    vectors = np.stack([at(angle) for angle in angles])
    near = vectors @ vectors.T >= THRESHOLD + 1e-6
    trains = [i for i, side in enumerate(sides) if side is Split.TRAIN and i not in bridged]
    held_out = [i for i, side in enumerate(sides) if side is Split.HELD_OUT]
    assert not near[np.ix_(trains, held_out)].any()


def test_many_queries_outgrow_the_first_matrix() -> None:
    splitter = Splitter((), 0.999999)
    for number in range(600):
        splitter.add(number, number, Split.TRAIN, at(number * 0.25))
    assert splitter.assign("a", at(599 * 0.25)).group_id == 599


@pytest.mark.parametrize("vector", [np.zeros(2), np.array([np.nan, 1.0]), np.ones((1, 2)), np.ones(3)])
def test_wrong_vectors_raise(vector: Vector) -> None:
    with pytest.raises(InvalidInput):
        assign("a", vector.astype(np.float32), [Query(1, 7, Split.TRAIN, at(0))], THRESHOLD)


def test_wrong_thresholds_raise() -> None:
    with pytest.raises(InvalidInput):
        Splitter((), 0.0)
