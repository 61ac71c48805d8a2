"""What the gate saw beside what was true, read from kept cells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.loop.seen import seen, seen_table
from tests.unit.bench.cells import cell, night

SAID = (
    "A gain over the champion is not proven: ndcg@10 0.660 against the champion's 0.659 on 178 judged questions "
    "({}, 95 % interval)."
)


def test_a_night_is_held_against_the_champion_of_that_night() -> None:
    first = replace(night(1, "reject", (1, 1, None)), reasons=("It is slow.", SAID.format("\N{MINUS SIGN}0.016")))
    second = replace(night(2, "not_proven", (1, 2, None)), reasons=(SAID.format("+0.002"),))
    loop = cell("rankloop-always", 10, "a", unseen=(1, 2, None), nights=(first, second))
    obeyed = cell("rankloop-gate", 10, "a", unseen=(1, 2, None), nights=(first, second))
    nothing = cell("no-rerank", 0, "a", unseen=(2, 2, None))

    found = seen([loop, obeyed], [nothing])

    step = 1 - 1 / 1.584962500721156  # of the discount from rank 2 to rank 1
    assert [(one.judged, one.gain) for one in found] == [(178, -0.016), (178, 0.002)]
    # Both questions with a right place among the candidates count, the third never could be right.
    assert [one.true for one in found] == pytest.approx([step, -step / 2])
    table = seen_table(found)
    assert "| 10 % | a | 1 | 178 | -0.016 | +0.369 |" in table
    assert "| mean of 2 | | | | -0.007 | +0.092 |" in table
    assert "| mean of 1 | | 2 | | +0.002 | -0.185 |" in table


def test_second_opinions_are_not_set_beside_what_nobody_asked() -> None:
    said = (
        "It is better than the champion: ndcg@10 0.674 against the champion's 0.637 on 221 judged questions (+0.037, "
        "95 % interval +0.017 to +0.058: \N{MINUS SIGN}0.006 on 220 that it was not trained on, and +0.162 by one more "
        "person's word on 90), p = 0.0004."
    )
    one = replace(night(1, "not_proven", (1, 1)), reasons=(said,))
    loop = cell("rankloop-always", 10, "a", unseen=(1, 1), nights=(one,))

    (found,) = seen([loop], [cell("no-rerank", 0, "a", unseen=(2, 2))])

    assert (found.judged, found.gain) == (220, -0.006)


def test_nights_that_say_nothing_of_a_gain_are_left_out() -> None:
    loop = cell("rankloop-always", 10, "a", unseen=(1, 2), nights=(night(1, "not_proven", (1, 1)),))

    assert seen_table(seen([loop], [cell("no-rerank", 0, "a", unseen=(2, 2))])) == ""
