"""What several seeds say together, and that none is taken for another."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bench.loop.cells import Cell, Key
from bench.loop.seeds import gains, kept_of, keys, moved, summary
from store.errors import InvalidInput
from tests.unit.bench.cells import cell


def seed(*unseen: int) -> list[Cell]:
    """Cells of one seed: no reranking has every right place at rank 2."""
    nothing = [cell("no-rerank", 0, fold, unseen=(2,) * len(unseen)) for fold in "ab"]
    return [*nothing, *(cell("recipe", 10, fold, unseen=unseen) for fold in "ab")]


def test_mean_deviation_and_interval_over_seeds() -> None:
    found = moved([0.1, 0.2, 0.3])
    assert found.mean == pytest.approx(0.2)
    assert found.deviation == pytest.approx(0.1)
    assert (found.low, found.high) == pytest.approx(
        (0.2 - 4.303 * 0.1 / math.sqrt(3), 0.2 + 4.303 * 0.1 / math.sqrt(3))
    )
    for gains_of in ([0.1], [0.1] * 11):
        with pytest.raises(InvalidInput, match="2 to 10"):
            moved(gains_of)


def test_the_summary_has_each_seed_and_the_mean_but_no_seed_with_a_half_missing() -> None:
    found = {11: seed(1, 2), 12: seed(2, 2), 13: seed(1, 1)[:-1]}
    assert gains(found[13], 10) is None
    text = summary(found, [10, 0])
    assert "| 10 % | 11 | +50.0% | +50.0% | +50.0% |" in text
    assert "| 10 % | 12 | +0.0% |" in text
    assert "| 10 % | mean of 2 (95 % interval) | **+25.0%** (" in text
    assert "| 10 % | standard deviation | 35.4 points |" in text
    assert "| 13 |" not in text
    assert "| 0 % |" not in text
    assert summary({}, [10]) == "Not run yet."


def test_each_seed_keeps_its_own_cells(tmp_path: Path) -> None:
    kept_of(tmp_path, 11).put(cell("recipe", 10, "a"))
    assert (tmp_path / "seeds" / "seed11-recipe-10-a.json").exists()
    assert kept_of(tmp_path, 11).all() == [cell("recipe", 10, "a")]
    assert kept_of(tmp_path, 12).all() == []
    assert keys([10, 0])[-1] == Key("recipe", 0, "b")
