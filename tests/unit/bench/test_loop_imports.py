"""``bench.loop.imports``: what is imported, and how its figures are read."""

from __future__ import annotations

import pytest

from bench.loop.imports import LONGEST, rows_of, tenths
from store.errors import RankloopError


def test_each_question_has_its_own_function_and_four_others() -> None:
    rows = rows_of(44, seed=7, packages=("rich",))
    assert rows == rows_of(44, seed=7, packages=("rich",))
    assert rows != rows_of(44, seed=8, packages=("rich",))
    assert [label for _, _, label in rows] == [1.0, 0.0, 0.0, 0.0, 0.0] * 8 + [1.0, 0.0, 0.0, 0.0]
    for at in range(0, 40, 5):
        questions, codes = {row[0] for row in rows[at : at + 5]}, {row[1] for row in rows[at : at + 5]}
        assert (len(questions), len(codes)) == (1, 5)
    assert max(len(code) for _, code, _ in rows) <= LONGEST


def test_too_few_functions_are_said() -> None:
    with pytest.raises(RankloopError, match="functions say in a sentence what they do"):
        rows_of(100_000, seed=7, packages=("rich",))


def test_losses_are_told_in_ten_equal_parts_or_each_for_itself() -> None:
    assert tenths([float(n) for n in range(25)])[-1] == pytest.approx(23.5)
    assert len(tenths([1.0] * 2639)) == 10
    assert tenths([0.7, 0.6]) == (0.7, 0.6)
