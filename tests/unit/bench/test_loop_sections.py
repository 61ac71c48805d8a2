"""How new the unseen questions are, what a cell was made by, and what the report says of both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bench.loop import made, predecessor
from bench.loop.__main__ import until
from bench.loop.cells import Cell
from bench.loop.near import Near, nearest, read, write
from bench.loop.report import markdown
from store.types import Json, Vector
from tests.unit.bench.cells import cell
from trainer import fit_blend
from trainer.dataset import POLICIES
from trainer.fit_blend import DevQuery
from trainer.recipe import DEFAULT, RECIPES

NEAR = Near("an encoder", 7, {"a": (0.95, 0.85, 0.5), "b": (0.1, 0.2, 0.3)})


def both(arm: str, wrong: int, *unseen: tuple[int, int, int]) -> list[Cell]:
    return [cell(arm, wrong, fold, unseen=ranks) for fold, ranks in zip("ab", unseen, strict=True)]


class Words:
    """An encoder of two dimensions."""

    name, dimension = "words", 2

    def encode(self, texts: object) -> Vector:
        assert isinstance(texts, list)
        return np.array([[np.cos(float(text)), np.sin(float(text))] for text in texts], dtype=np.float32)


def test_each_unseen_query_has_the_cosine_of_the_nearest_asked_one() -> None:
    assert nearest(Words(), ["0", "1"], ["0.5", "3"]) == pytest.approx([np.cos(0.5), np.cos(0.5)], abs=1e-6)


def test_kept_cosines_read_back_and_fit_only_cells_of_their_cut(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    write(tmp_path, NEAR)
    assert read(tmp_path) == NEAR
    first, second = both("oracle", 0, (1, 2, 3), (1, 2, 3))
    assert NEAR.of([second, first]) == pytest.approx([0.1, 0.2, 0.3, 0.95, 0.85, 0.5])
    assert NEAR.of([replace(first, seed=8)]) is None
    assert NEAR.of([cell(unseen=(1, 2))]) is None


def test_the_report_tells_the_gain_on_questions_that_nobody_asked_anything_like() -> None:
    cells = [*both("no-rerank", 0, (2, 2, 2), (2, 2, 2)), *both("oracle", 0, (1, 1, 2), (2, 2, 2))]
    text = markdown(cells, [], NEAR)
    line = next(line for line in text.splitlines() if line.startswith("| oracle | – | +33.3%"))
    assert line.count("+33.3%") == 1  # all six
    assert "| +20.0% (" in line  # without the one that was asked
    assert "| +0.0% (+0.0% to +0.0%) | 1.0000 |" in line  # nothing but what was asked, or nearly
    assert "below 0.90 (5)" in text
    assert "below 0.80 (4)" in text
    assert "1 of the 6 unseen questions" in text
    assert "nearest asked question" not in markdown(cells, [])


def test_the_report_says_per_kind_whether_twice_the_predecessors_gain_is_reached() -> None:
    cells = [
        *both("no-rerank", 0, (2, 2, 2), (2, 2, 2)),
        *both("predecessor", 10, (2, 2, 2), (2, 2, 2)),
        *both("rankloop-always", 10, (1, 1, 1), (1, 1, 1)),
    ]
    text = markdown(cells, [])
    assert "| rankloop, always promoted | 10 % | asked again | +0.5000 (+0.5000 to +0.5000) | 0.0" in text
    assert text.count("| reached |") == 3


def test_a_share_of_an_undetermined_gain_is_called_so() -> None:
    cells = [
        *both("no-rerank", 0, (2, 2, 2), (2, 2, 2)),
        *both("oracle", 0, (1, 3, 2), (2, 2, 2)),
        *both("recipe", 10, (1, 1, 1), (1, 1, 1)),
    ]
    assert "| default recipe, one go | 10 % | undetermined | undetermined | undetermined |" in markdown(cells, [])


def test_the_hash_changes_with_the_recipe_the_policy_and_the_blends_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = ("no-rerank", "base", "recipe", "oracle", "predecessor", "seed", "rankloop-always")
    before = {arm: made.numbers(arm) for arm in arms}
    assert before == {arm: made.numbers(arm) for arm in arms}
    assert before["recipe"] == before["rankloop-always"] != before["oracle"]

    def changed() -> set[str]:
        return {arm for arm in arms if made.numbers(arm) != before[arm]}

    with monkeypatch.context() as patch:
        patch.setitem(RECIPES, "default", replace(DEFAULT, penalty=0.08))
        assert changed() == {"recipe", "oracle", "rankloop-always"}
    with monkeypatch.context() as patch:
        policies = {**POLICIES, "default": replace(POLICIES["default"], imported_easy=5)}
        patch.setattr(made, "POLICIES", policies)
        assert changed() == {"recipe", "oracle", "rankloop-always"}
    with monkeypatch.context() as patch:
        patch.setattr(made, "WEIGHTS", (0.0, 1.0))
        assert changed() == {"predecessor"}


def test_the_report_names_cells_of_an_earlier_recipe_and_of_an_unknown_one() -> None:
    today: Json = {"made_with": {"numbers": made.numbers("oracle"), "commit": None}}
    cells = [
        replace(cell("oracle", 0, "a"), notes={**today, "made": {"seconds": 90.0}}),
        replace(cell("recipe", 10, "a"), notes={"made_with": {"numbers": "0" * 12}, "made": {"seconds": 30.0}}),
        cell("recipe", 10, "b"),
    ]
    text = markdown(cells, [])
    assert "Made by an earlier recipe: recipe-10-a." in text
    assert "Not known by which recipe: recipe-10-b;" in text
    assert "the 2 finished cells took 2 minutes together" in text
    assert "oracle-00-a 90, recipe-10-a 30" in text
    assert "Of 1 more it is not known." in text


def test_a_hash_comes_with_the_commit_where_there_is_one() -> None:
    found = made.made_with("oracle")
    assert found["numbers"] == made.numbers("oracle")
    assert found["commit"] is None or len(found["commit"].removesuffix("-dirty")) == 12


def test_until_is_tomorrow_on_the_last_day_of_a_month_too() -> None:
    late = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    assert until("00:15", late) == datetime(2026, 2, 1, 0, 15, tzinfo=UTC)
    assert until("23:45", late) == datetime(2026, 1, 31, 23, 45, tzinfo=UTC)


def test_the_predecessor_may_choose_a_weight_beyond_the_products_grid() -> None:
    small = DevQuery(1, np.array([1.0, 0.0]), np.array([0.0, 0.3]), np.array([0.0, 1.0]))
    assert fit_blend.fit_weight(fit_blend.Dev([small] * 5), 0.5) == max(fit_blend.WEIGHTS) == 2.0
    assert predecessor.fit_weight(fit_blend.Dev([small] * 5), 0.5) == 16.0
    assert predecessor.fit_weight(fit_blend.Dev([small]), 0.5) == 0.5
