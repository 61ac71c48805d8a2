"""Finished cells survive, are not made twice, and become the tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.corpus import Question
from bench.loop.cells import Cell, Kept, Key, halves
from bench.loop.report import BEGIN, END, markdown, write_report
from tests.unit.bench.cells import cell, night

QUESTIONS = [Question(f"query {number}", frozenset({f"{number}.py"})) for number in range(11)]


def test_a_kept_cell_reads_back_equal(tmp_path: Path) -> None:
    made = cell(unseen=(1, None), orders=((2, 1), (1, 2)), nights=(night(1, "not_proven", (1, 3)),))
    Kept(tmp_path).put(made)
    assert Kept(tmp_path).get(made.key) == made
    assert Kept(tmp_path).all() == [made]


def test_a_finished_cell_is_not_made_again(tmp_path: Path) -> None:
    kept, made = Kept(tmp_path), cell()
    calls: list[int] = []

    def make() -> Cell:
        calls.append(1)
        return made

    for _ in range(3):
        assert kept.ensure(made.key, 7, 4, make) == made
    assert len(calls) == 1


def test_a_cell_of_another_seed_or_size_is_made_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.put(cell())
    other = cell(unseen=(5, 5))
    assert kept.ensure(other.key, 8, 4, lambda: other) == other
    assert kept.ensure(other.key, 7, 6, lambda: cell(unseen=(9, 9))).ranks["unseen"] == (9, 9)


def test_a_cell_of_another_depth_or_without_a_wanted_kind_is_made_again(tmp_path: Path) -> None:
    kept, made = Kept(tmp_path), cell(unseen=(9, 9))
    kept.put(cell())
    assert kept.ensure(made.key, 7, 4, lambda: made, depth=20).ranks["unseen"] == (9, 9)
    kept.put(replace(cell(), ranks={"unseen": (1, 2)}))
    assert kept.ensure(made.key, 7, 4, lambda: made, kinds=["unseen"]).ranks["unseen"] == (1, 2)
    assert kept.ensure(made.key, 7, 4, lambda: made).ranks["unseen"] == (9, 9)


def test_a_cell_of_other_numbers_is_made_again_and_one_of_unknown_numbers_is_kept(tmp_path: Path) -> None:
    kept, new = Kept(tmp_path), cell(unseen=(9, 9))
    kept.put(cell())
    assert kept.ensure(new.key, 7, 4, lambda: new, numbers="today") == cell()
    mine = replace(cell(), notes={"made_with": {"numbers": "today", "commit": None}})
    kept.put(mine)
    assert kept.ensure(new.key, 7, 4, lambda: new, numbers="today") == mine
    assert kept.ensure(new.key, 7, 4, lambda: new, numbers="tomorrow") == new


def test_folders_of_cells_with_and_without_a_prefix_do_not_mix(tmp_path: Path) -> None:
    Kept(tmp_path, "seed11-").put(cell(unseen=(3, 3)))
    assert Kept(tmp_path, "seed11-").all() == [cell(unseen=(3, 3))]
    assert Kept(tmp_path, "seed12-").all() == []
    assert Kept(tmp_path, "seed12-").get(cell().key) is None


def test_a_cell_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> Cell:
        raise RuntimeError("the job failed")

    key = Key("oracle", 0, "a")
    with pytest.raises(RuntimeError):
        Kept(tmp_path).ensure(key, 7, 4, fail)
    assert Kept(tmp_path).get(key) is None


def test_the_halves_change_places_and_share_nothing() -> None:
    asked, unseen = halves(QUESTIONS, "a", 7)
    assert halves(QUESTIONS, "b", 7) == (unseen, asked)
    assert {one.query for one in asked} | {one.query for one in unseen} == {one.query for one in QUESTIONS}
    assert not {one.query for one in asked} & {one.query for one in unseen}


def test_the_report_has_the_arms_and_names_what_is_missing(tmp_path: Path) -> None:
    cells = [
        *(cell("no-rerank", 0, fold, unseen=(2, 2)) for fold in "ab"),
        *(cell("oracle", 0, fold, unseen=(1, 2)) for fold in "ab"),
        *(cell("rankloop-always", 10, fold, unseen=(1, 2), nights=(night(1, "promote", (1, 2)),)) for fold in "ab"),
        cell("seed", 10, "a"),
    ]
    text = markdown(cells, [one.key for one in cells] + [Key("seed", 10, "b")])
    assert "| oracle | – | 4 | 0.7500 | +50.0% (" in text
    assert "| rankloop, always promoted | 10 % | a | 1 | 1 | 10 | 1 | 2 | 1 | promote |" in text
    assert "Missing cells: seed-10-b." in text
    assert "| seed recipe | 10 % | 2 (half a only) |" in text


def test_words_around_the_figures_stay_and_the_plot_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "loop.md").write_text(f"# Title\n\nBefore.\n\n{BEGIN}\nold figures\n{END}\n\nAfter.\n")
    nights = (night(1, "not_proven", (1, 2)), night(2, "promote", (1, 1)))
    cells = [
        *(cell("no-rerank", 0, fold, unseen=(2, 2)) for fold in "ab"),
        *(cell("rankloop-always", 10, fold, unseen=(1, 1), nights=nights) for fold in "ab"),
    ]
    write_report(cells, [], tmp_path)
    page = (tmp_path / "loop.md").read_text()
    assert page.startswith("# Title\n\nBefore.\n")
    assert page.endswith("After.\n")
    assert "old figures" not in page
    assert "**unseen**" in page
    assert (tmp_path / "img" / "loop.png").stat().st_size > 5_000
