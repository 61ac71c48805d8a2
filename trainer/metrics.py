"""Ranking metrics of one query, named as in DESIGN §1: ``"ndcg@10"``, ``"mrr@10"``, ``"recall@50"``.

A ranking is the ids best first, without repeats; relevance maps an id to its grade ≥ 0 and what is absent counts
as not relevant. Every metric lies in [0, 1]; a query with nothing relevant has no metric and raises InvalidInput.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from store.errors import InvalidInput

Metric = Callable[[Sequence[str], Mapping[str, float], int], float]


def _check(ranking: Sequence[str], relevance: Mapping[str, float], k: int) -> None:
    if k < 1:
        raise InvalidInput(f"a metric's depth must be at least 1, got {k}")
    if len(set(ranking)) != len(ranking):
        raise InvalidInput("a ranking names the same chunk twice")
    if any(not math.isfinite(grade) or grade < 0 for grade in relevance.values()):
        raise InvalidInput("relevance grades must be finite and not negative")
    if not any(grade > 0 for grade in relevance.values()):
        raise InvalidInput("no relevant chunk is known for this query, so it has no metric")


def ndcg(ranking: Sequence[str], relevance: Mapping[str, float], k: int) -> float:
    """Normalised discounted cumulative gain with linear gain and log2(rank + 1) discount.

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002. The ideal list
    holds every relevant chunk known, whether or not it is in the ranking. Raises InvalidInput.
    """
    _check(ranking, relevance, k)
    gained = sum(relevance.get(name, 0.0) / math.log2(rank + 1) for rank, name in enumerate(ranking[:k], start=1))
    best = sorted(relevance.values(), reverse=True)[:k]
    return gained / sum(grade / math.log2(rank + 1) for rank, grade in enumerate(best, start=1))


def mrr(ranking: Sequence[str], relevance: Mapping[str, float], k: int) -> float:
    """Reciprocal rank of the first relevant chunk within the top k, else 0 (Voorhees, TREC-8 QA track, 1999)."""
    _check(ranking, relevance, k)
    ranks = (rank for rank, name in enumerate(ranking[:k], start=1) if relevance.get(name, 0.0) > 0)
    first = next(ranks, None)
    return 0.0 if first is None else 1.0 / first


def recall(ranking: Sequence[str], relevance: Mapping[str, float], k: int) -> float:
    """Share of the known relevant chunks that are in the top k."""
    _check(ranking, relevance, k)
    relevant = {name for name, grade in relevance.items() if grade > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant)


METRICS: Mapping[str, Metric] = {"ndcg": ndcg, "mrr": mrr, "recall": recall}
STANDARD = ("ndcg@10", "mrr@10", "recall@50")
"""What every evaluation reports."""


def measure(
    ranking: Sequence[str], relevance: Mapping[str, float], names: Sequence[str] = STANDARD
) -> dict[str, float]:
    """Metrics by name, e.g. ``{"ndcg@10": 0.63}``. Raises InvalidInput for an unknown name or a bad ranking."""
    result = {}
    for name in names:
        kind, _, depth = name.partition("@")
        if kind not in METRICS or not depth.isascii() or not depth.isdigit():
            raise InvalidInput(f"unknown metric {name!r}; known: {', '.join(METRICS)}, each with @depth")
        result[name] = METRICS[kind](ranking, relevance, int(depth))
    return result
