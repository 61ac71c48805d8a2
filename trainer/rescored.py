"""Lists that were logged on another encoder, with the scores that today's gives the same candidates.

What mining and the gate compare must be one scale: a cosine of one encoder says nothing beside another's. Which
candidates were logged stays as it was; a first stage on today's encoder might have found others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from store.types import Impression, ImpressionRow, Vector
from trainer.history import Lists

Vectors = Mapping[str, Vector]


def on_todays_encoder(
    lists: Lists,
    since: datetime | None,
    queries: Vectors,
    embed: Callable[[Iterable[str]], Vectors],
    lexical_weight: float,
) -> Lists:
    """``since``: when today's encoder was first seen; None where there never was another.

    ``queries``: query → vector; ``embed``: content hashes → vectors, of those lists that need it.
    """
    if since is None:
        return lists
    old = [one for found in (lists.full, lists.shallow) for one in found.values() if one.created_at < since]
    vectors = embed({row.content_hash for one in old for row in one.rows}) if old else {}
    made = {one.answer_id: _rescored(one, queries[one.query], vectors, lexical_weight) for one in old}

    def today(found: Mapping[int, Impression]) -> dict[int, Impression]:
        return {group: made.get(one.answer_id, one) for group, one in found.items()}

    return Lists(today(lists.full), today(lists.shallow))


def _rescored(one: Impression, query: Vector, vectors: Vectors, lexical_weight: float) -> Impression:
    dense = [float(query @ vectors[row.content_hash]) for row in one.rows]
    rows = [
        replace(row, dense_score=score, fused_score=score + lexical_weight * row.lexical_score)
        for row, score in zip(one.rows, dense, strict=True)
    ]
    places = {id(row): rank for rank, row in enumerate(sorted(rows, key=_first), start=1)}
    return replace(one, rows=tuple(replace(row, first_stage_rank=places[id(row)]) for row in rows))


def _first(row: ImpressionRow) -> tuple[float, int]:
    return -row.fused_score, row.first_stage_rank
