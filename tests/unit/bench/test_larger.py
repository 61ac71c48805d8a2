from __future__ import annotations

from pathlib import Path

import pytest

from bench.loop.cells import RESULTS, Kept
from bench.loop.larger import BEGIN, END, LARGER, markdown


def test_the_page_says_what_the_kept_cells_say() -> None:
    page = Path("docs/loop.md").read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == markdown(Kept(RESULTS).all(), Kept(LARGER).all())


def test_half_an_arm_is_left_out() -> None:
    usual, larger = Kept(RESULTS).all(), Kept(LARGER).all()
    text = markdown(usual, [cell for cell in larger if cell.key.name != "recipe-10-b"])
    assert "default recipe, one go" not in text
    assert "rankloop, always promoted" in text


def test_without_a_first_stage_to_compare_with_there_is_no_table() -> None:
    with pytest.raises(KeyError):
        markdown([], Kept(LARGER).all())
