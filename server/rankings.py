"""The rankings of two versions side by side: which texts are the right ones, where they are and where they stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.compare import HEADLINE, Paired
from server.data_sets import DataSet
from server.schemas.versions import QueryRow, RankedText, RightText
from store import chunks, general, golden, judgments
from store.database import Connection
from store.types import SECOND_OPINIONS, Chunk

DEPTH = 10
"""Texts of a ranking that an evaluation keeps."""
MOST_GENERAL = 100_000
_RIGHT = 0.5


@dataclass(frozen=True, slots=True)
class _Key:
    """What was right for guard questions."""

    golden: Mapping[int, frozenset[str | int]]
    general: Mapping[str, str]
    """By the question's words: its number is given anew at every indexing."""


def query_rows(tx: Connection, changed: Sequence[Paired], data_sets: Sequence[DataSet]) -> list[QueryRow]:
    """One row a query, in the order given.

    ``data_sets``: those that it may have been measured on, the likeliest first; where none knows a group, what people
    say today counts.
    """
    relevant = [_truth(tx, one, data_sets) for one in changed]
    hashes = {text for one in changed for row in (one.a, one.b) for text in row.ranking}
    known = chunks.by_hash(tx, hashes.union(*(one.keys() for one in relevant)))
    key = _key(tx, changed)
    return [_row(one, dict(judged), known, key) for one, judged in zip(changed, relevant, strict=True)]


def _truth(tx: Connection, one: Paired, data_sets: Sequence[DataSet]) -> Mapping[str, float]:
    evidence, group = one.a.evidence, one.a.group_id
    if evidence in ("golden", "general"):
        return {}
    truths = [each.truth_of(evidence) for each in data_sets]
    found = next((truth[group] for truth in truths if group in truth), None)
    if found is not None or evidence == SECOND_OPINIONS:
        return found or {}
    today, _ = judgments.list_page(tx, group_id=group, strong=True, retired=False, vetoed=False)
    return {judgment.content_hash: judgment.relevance for judgment in today}


def _key(tx: Connection, changed: Sequence[Paired]) -> _Key:
    bodies = {one.a.evidence for one in changed}
    return _Key(
        {one.id: frozenset(one.expected) for one in golden.list_all(tx)} if "golden" in bodies else {},
        {query: text for _, query, _, text in general.guards(tx, MOST_GENERAL)} if "general" in bodies else {},
    )


def _row(one: Paired, judged: dict[str, float], known: Mapping[str, list[Chunk]], key: _Key) -> QueryRow:
    ranked = dict.fromkeys((*one.a.ranking, *one.b.ranking))
    if one.a.evidence == "golden":
        expected = key.golden.get(one.a.group_id, frozenset())
        judged = {text: 1.0 for text in ranked if _is_expected(known.get(text, []), expected)}
    elif one.a.evidence == "general" and one.a.query in key.general:
        judged = {key.general[one.a.query]: 1.0}
    right = [
        RightText(
            **_text(text, known, judged).model_dump(),
            rank_a=_rank(text, one.a.ranking),
            rank_b=_rank(text, one.b.ranking),
        )
        for text, relevance in judged.items()
        if relevance > _RIGHT
    ]
    right.sort(key=lambda each: (min(each.rank_a or DEPTH + 1, each.rank_b or DEPTH + 1), each.content_hash))
    return QueryRow(
        group_id=one.a.group_id,
        query=one.a.query,
        evidence=one.a.evidence,
        a=one.a.metrics[HEADLINE],
        b=one.b.metrics[HEADLINE],
        difference=one.difference(HEADLINE),
        right=right,
        ranking_a=[_text(text, known, judged) for text in one.a.ranking],
        ranking_b=[_text(text, known, judged) for text in one.b.ranking],
    )


def _is_expected(places: Sequence[Chunk], expected: frozenset[str | int]) -> bool:
    return any(place.path in expected or place.id in expected for place in places)


def _rank(text: str, ranking: Sequence[str]) -> int | None:
    return ranking.index(text) + 1 if text in ranking else None


def _text(content_hash: str, known: Mapping[str, list[Chunk]], judged: Mapping[str, float]) -> RankedText:
    places, relevance = known.get(content_hash), judged.get(content_hash)
    if not places:
        return RankedText(content_hash=content_hash, relevance=relevance)
    place = places[0]
    return RankedText(
        content_hash=content_hash,
        id=place.id,
        path=place.path,
        symbol=place.symbol,
        start_line=place.start_line,
        end_line=place.end_line,
        relevance=relevance,
    )
