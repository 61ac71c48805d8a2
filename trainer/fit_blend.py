"""Choose the weight of ``rerank_score`` in a version's blend on dev queries. Pure: scores in, blend out.

Dev scores are out of fold: every query of the training groups is scored by a model that never saw its group, so no
training data is given up for fitting. Held-out queries choose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from store.types import Blend, EvalQuery
from trainer.second_opinions import FEWEST, Traffic

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0)
SMALLER = (0.0, 0.25, 0.5, 0.75)
"""Weights that the guard may lower a residual version to."""
SURE = 2.0
"""Standard errors: with one, a few wrong votes took the weight off three versions in twelve."""
MIN_QUERIES = 5
"""Below this many dev queries with a positive nothing can be fitted."""

Logits = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class DevQuery:
    """One query with a positive among its candidates: ``(n,)`` prior logits, rerank logits and relevance."""

    group_id: int
    prior: npt.NDArray[np.float64]
    logits: npt.NDArray[np.float64]
    relevance: npt.NDArray[np.float64]


def dev_query(query: EvalQuery, logits: Logits, scale: float, lexical: float) -> DevQuery | None:
    """None when no candidate is relevant: such a query fits nothing."""
    relevance = np.array([query.relevance.get(name, 0.0) for name in query.content_hashes])
    if not relevance.sum() > 0:
        return None
    prior = scale * (np.asarray(query.dense_scores) + lexical * np.asarray(query.lexical_scores))
    return DevQuery(query.group_id, prior, np.asarray(logits, dtype=np.float64), relevance)


def surprise(dev: Dev, weight: float) -> float:
    """Mean negative log-likelihood of the relevant candidates under ``softmax(prior + weight * logits)``.

    Smoother than a ranking metric, so a few dozen queries do not choose by luck.
    """
    return dev.mean(lambda query: _surprise(query, weight))[0]


def _surprise(query: DevQuery, weight: float) -> float:
    final = query.prior + weight * query.logits
    log_total = final.max() + np.log(np.exp(final - final.max()).sum())
    return float(query.relevance @ (log_total - final) / query.relevance.sum())


@dataclass(frozen=True, slots=True)
class Dev:
    """What a weight is chosen on."""

    queries: Sequence[DevQuery]
    """Questions that the scoring model never saw."""
    opinions: Sequence[DevQuery] = ()
    """Second opinions (``trainer.second_opinions``); fewer than ``FEWEST`` choose nothing."""
    traffic: Traffic = field(default_factory=Traffic)

    def mean(self, of: Callable[[DevQuery], float]) -> tuple[float, float]:
        """Mean over what people ask, and its standard error as if the two parts were independent."""
        share = self.traffic.share({one.group_id for one in self.opinions}) if len(self.opinions) >= FEWEST else 0.0
        total = variance = 0.0
        for weight, queries in ((1 - share, self.queries), (share, self.opinions)):
            values = np.array([of(query) for query in queries])
            if weight and len(values):
                total += weight * float(values.mean())
                variance += weight**2 * float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0
        return total, float(np.sqrt(variance))


class Choose(Protocol):
    """Dev queries and the weight to take where they say nothing → weight of ``rerank_score``."""

    def __call__(self, dev: Dev, unproven: float) -> float: ...


def guarded_weight(dev: Dev, unproven: float) -> float:
    """1, lowered only where out-of-fold evidence says so: for logits that were trained as a correction of the prior.

    A smaller weight is taken when it surprises less than 1 by more than ``SURE`` standard errors of the paired
    difference; of several, the one that surprises least. Choosing the best of noisy weights instead lost half of the
    gain (docs/LOG.md).
    """
    if len(dev.queries) < MIN_QUERIES:
        return unproven
    lowered: list[tuple[float, float]] = []
    for weight in SMALLER:
        better, error = dev.mean(lambda query, w=weight: _surprise(query, 1.0) - _surprise(query, w))  # type: ignore[misc]
        if better > SURE * error:
            lowered.append((-better, weight))
    return min(lowered)[1] if lowered else 1.0


def fit_weight(dev: Dev, unproven: float) -> float:
    """The weight of least surprise, the smaller of equals: for logits of no known scale."""
    if len(dev.queries) < MIN_QUERIES:
        return unproven
    return min(sorted(WEIGHTS), key=lambda weight: round(surprise(dev, weight), 9))


def cross_fit(dev: Dev, folds: Mapping[int, int], unproven: float, choose: Choose = fit_weight) -> dict[int, float]:
    """Fold → the weight chosen on the other folds: what a fold's own evidence is ranked with.

    ``folds``: group → fold. Second opinions go with their group's fold.
    """
    return {
        fold: choose(
            Dev(
                [query for query in dev.queries if folds.get(query.group_id) != fold],
                [query for query in dev.opinions if folds.get(query.group_id) != fold],
                dev.traffic,
            ),
            unproven,
        )
        for fold in sorted(set(folds.values()))
    }


def blend_of(weight: float, scale: float, lexical: float) -> Blend:
    """``final_score = scale * (dense_score + lexical * lexical_score) + weight * rerank_score``, in logits."""
    return Blend(dense=scale, lexical=scale * lexical, rerank=weight)
