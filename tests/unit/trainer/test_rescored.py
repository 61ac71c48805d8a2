from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from store.types import AnswerKind, Impression, ImpressionRow, Vector
from trainer.history import Lists
from trainer.rescored import on_todays_encoder

SWITCHED = datetime(2026, 1, 2, tzinfo=UTC)
VECTORS: Mapping[str, Vector] = {"a": np.array([1.0, 0.0]), "b": np.array([0.0, 1.0])}
QUERY: Mapping[str, Vector] = {"q": np.array([0.6, 0.8])}


def logged(answer_id: str, at: datetime) -> Impression:
    def row(number: int, name: str, dense: float, lexical: float) -> ImpressionRow:
        return ImpressionRow(number, name, dense, lexical, dense, None, dense, number, number, True, False)

    rows = (row(1, "a", 0.9, 1.0), row(2, "b", 0.1, 0.0))
    return Impression(answer_id, "q", None, "ann", AnswerKind.ANSWER, 0, at, rows)


def embed(names: Iterable[str]) -> Mapping[str, Vector]:
    return {name: VECTORS[name] for name in names}


def never(_names: Iterable[str]) -> Mapping[str, Vector]:
    raise AssertionError("nothing is to be embedded")


def test_a_list_from_before_gets_todays_scores_and_order() -> None:
    lists = Lists({1: logged("one", SWITCHED - timedelta(hours=1))}, {})
    rows = on_todays_encoder(lists, SWITCHED, QUERY, embed, 0.1).full[1].rows
    assert [(row.content_hash, row.dense_score) for row in rows] == [("a", 0.6), ("b", 0.8)]
    assert [row.fused_score for row in rows] == pytest.approx([0.7, 0.8])
    assert [row.first_stage_rank for row in rows] == [2, 1]
    assert [row.rank for row in rows] == [1, 2], "what people saw stays"


def test_a_list_from_after_stays() -> None:
    lists = Lists({1: logged("one", SWITCHED)}, {2: logged("two", SWITCHED + timedelta(hours=1))})
    assert on_todays_encoder(lists, SWITCHED, QUERY, never, 0.1) == lists


def test_where_there_was_one_encoder_only_nothing_is_done() -> None:
    lists = Lists({1: logged("one", SWITCHED)}, {})
    assert on_todays_encoder(lists, None, {}, never, 0.1) is lists
