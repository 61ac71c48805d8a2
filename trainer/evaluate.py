"""Score candidate lists with a model and measure the ranking that a blend makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from store.blend import final_scores, order
from store.errors import Cancelled
from store.types import Blend, EvalQuery, Json
from trainer.metrics import STANDARD, measure
from trainer.near import joined

FloatArray = npt.NDArray[np.float32]


class Scores(Protocol):
    """What ``store.scorer.Scorer`` does: raw logits ``(n,)`` of a query's passages."""

    def score(self, query: str, texts: Sequence[str]) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class Ranked:
    """One query's ranking, content hashes best first, and its metrics by name."""

    query: EvalQuery
    ranking: tuple[str, ...]
    metrics: Mapping[str, float]

    @property
    def group_id(self) -> int:
        return self.query.group_id


def answerable(queries: Sequence[EvalQuery], texts: Mapping[str, str]) -> tuple[list[EvalQuery], int]:
    """Queries with a relevant candidate and every text there; and how many others were left out."""
    kept = [
        query
        for query in queries
        if any(query.relevance.get(name, 0.0) > 0 for name in query.content_hashes)
        and all(name in texts for name in query.content_hashes)
    ]
    return kept, len(queries) - len(kept)


def score_queries(
    scorer: Scores,
    queries: Sequence[EvalQuery],
    texts: Mapping[str, str],
    report: Callable[[int], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[FloatArray]:
    """Logits of each query's candidates; ``report`` gets the number of queries done. Raises Cancelled."""
    logits: list[FloatArray] = []
    for query in queries:
        if cancelled():
            raise Cancelled("evaluation was asked to stop")
        logits.append(scorer.score(query.query, [texts[name] for name in query.content_hashes]))
        report(len(logits))
    return logits


def rank(query: EvalQuery, blend: Blend, logits: FloatArray | None) -> Ranked:
    """Rank one list; ``logits`` None for a version that does not rerank."""
    final = final_scores(blend, query.dense_scores, query.lexical_scores, logits)
    places = order(final, range(len(query.content_hashes)))
    ranking = tuple(query.content_hashes[place] for place in places)
    return Ranked(query, ranking, measure(ranking, query.relevance))


def rank_all(queries: Sequence[EvalQuery], blend: Blend, logits: Sequence[FloatArray] | None) -> list[Ranked]:
    if logits is None:
        return [rank(query, blend, None) for query in queries]
    return [rank(query, blend, own) for query, own in zip(queries, logits, strict=True)]


def mean_metrics(ranked: Sequence[Ranked]) -> Json:
    """Mean of each metric and the number of queries; metrics are None without any."""
    means = {name: float(np.mean([one.metrics[name] for one in ranked])) if ranked else None for name in STANDARD}
    return {**means, "queries": len(ranked)}


def fold_count(groups: int) -> int:
    """2 to 5 folds: many where training is cheap, two where it is dear; 0 below four groups."""
    if groups < 4:
        return 0
    if groups <= 60:
        return min(5, groups // 2)
    return 3 if groups <= 250 else 2


def assign_folds(group_ids: Sequence[int], folds: int, seed: int, near: Sequence[Sequence[int]] = ()) -> dict[int, int]:
    """Deal groups into folds of equal size, in an order that depends on the seed and the ids alone.

    Groups of one set of ``near`` share a fold, those of it too that are not among ``group_ids``: they ask nearly the
    same, so a fold that is tested on one must not train on another.
    """
    asked = set(group_ids)
    sizes = [0] * folds
    places: dict[int, int] = {}

    def turn(members: Sequence[int]) -> tuple[int, bytes]:
        own = [group for group in members if group in asked]
        return -len(own), hashlib.sha256(f"{seed}:{min(own)}".encode()).digest()

    for members in sorted(joined(asked, near), key=turn):
        fold = sizes.index(min(sizes))
        sizes[fold] += len(asked.intersection(members))
        places.update(dict.fromkeys(members, fold))
    return places
