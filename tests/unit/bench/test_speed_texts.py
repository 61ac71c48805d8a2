"""Which candidates bench/speed reranks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bench.speed.rerank import _texts


def speed_of(lists: dict[str, list[str]]) -> Any:
    candidates = {
        query: [SimpleNamespace(chunk=SimpleNamespace(text=text)) for text in texts] for query, texts in lists.items()
    }
    return SimpleNamespace(queries=list(lists), candidates=candidates.__getitem__)


LISTS = {"a": ["x" * n for n in range(1, 9)], "b": ["y" * n for n in range(1, 9)]}


def test_a_querys_own_candidates_come_first() -> None:
    assert _texts(speed_of(LISTS), "b", "real", 9) == [*LISTS["b"], "x"]


def test_short_and_long_ones_are_the_outer_quarters() -> None:
    short, long = (_texts(speed_of(LISTS), "a", kind, 4) for kind in ("short", "long"))
    assert sorted(map(len, short)) == [1, 1, 2, 2]
    assert sorted(map(len, long)) == [7, 7, 8, 8]


def test_too_few_candidates_are_no_measurement() -> None:
    with pytest.raises(ValueError, match="only 4 long"):
        _texts(speed_of(LISTS), "a", "long", 5)
