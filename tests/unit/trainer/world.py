"""A small world of impressions and signals for tests of judging and mining: values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from store.types import AnswerKind, Impression, ImpressionRow, Signal, SignalKind, Split
from trainer.evidence import Known, Place

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING_MOVED = Known({}, {})


def text_of(chunk_id: int) -> str:
    return f"text{chunk_id:04d}"


def impression(
    answer_id: str = "a",
    query: str = "where is the parser",
    chunk_ids: Sequence[int] = range(1, 61),
    shown: int = 8,
    cited: Sequence[int] = (),
    dense: Mapping[int, float] | None = None,
) -> Impression:
    """Candidates in this order, cosines falling from 0.80 by 0.01 a rank unless told otherwise."""
    scores = dense or {}
    rows = tuple(
        ImpressionRow(
            chunk_id=chunk_id,
            content_hash=text_of(chunk_id),
            dense_score=(score := scores.get(chunk_id, 0.80 - 0.01 * (rank - 1))),
            lexical_score=0.0,
            fused_score=score,
            rerank_score=None,
            final_score=score,
            first_stage_rank=rank,
            rank=rank,
            shown=rank <= shown,
            cited=chunk_id in cited,
        )
        for rank, chunk_id in enumerate(chunk_ids, start=1)
    )
    return Impression(answer_id, query, None, "asker", AnswerKind.ANSWER, 0, NOW, rows)


class Says:
    """Makes signals with growing ids."""

    def __init__(self) -> None:
        self.made: list[Signal] = []

    def __call__(
        self, kind: SignalKind, value: Any, chunk_id: int | None = None, actor: str = "ann", answer_id: str = "a"
    ) -> Signal:
        number = len(self.made) + 1
        at = NOW + timedelta(minutes=number)
        self.made.append(Signal(number, answer_id, actor, kind, chunk_id, value, at))
        return self.made[-1]


def place(group_id: int = 1, split: Split = Split.TRAIN, bridged: bool = False) -> Place:
    return Place(group_id, split, bridged)
