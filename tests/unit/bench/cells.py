"""A finished cell to test with."""

from __future__ import annotations

from datetime import UTC, datetime

from bench.loop.cells import Cell, Key, Night
from bench.loop.scoring import Rank


def cell(
    arm: str = "oracle",
    wrong: int = 0,
    fold: str = "a",
    unseen: tuple[Rank, ...] = (1, 2),
    orders: tuple[tuple[int, ...], ...] = (),
    nights: tuple[Night, ...] = (),
) -> Cell:
    ranks = {"unseen": unseen, "paraphrased": unseen, "asked_again": unseen}
    return Cell(Key(arm, wrong, fold), 7, 2 * len(unseen), ranks, nights, 10, 1.5, 1.0, orders)


def night(number: int, decision: str, unseen: tuple[Rank, ...]) -> Night:
    return Night(number, 1, decision, number, True, ("because",), 10, 1.0, 2.0, {"asked": 1}, unseen)


def moment() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)
