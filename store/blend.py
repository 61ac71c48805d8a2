"""How first-stage and rerank scores become the order of a candidate list. Pure arithmetic, float64.

``fused_score = dense_score + w * lexical_score`` (the first stage) and
``final_score = dense * dense_score + lexical * lexical_score + rerank * rerank_score`` (a version's blend).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from store.types import Blend

FloatArray: TypeAlias = npt.NDArray[np.float64]
Floats: TypeAlias = Sequence[float] | npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Fused:
    """A candidate id with its first-stage scores; ``lexical_score`` is normalised to [0, 1]."""

    chunk_id: int
    dense_score: float
    lexical_score: float
    fused_score: float


def first_stage(lexical_weight: float) -> Blend:
    """The blend of version 0: the first stage's own order."""
    return Blend(dense=1.0, lexical=lexical_weight, rerank=0.0)


def normalise_lexical(scores: Sequence[float]) -> list[float]:
    """BM25 scores divided by the list's best, into [0, 1]; all zero when nothing matched."""
    best = max(scores, default=0.0)
    if best <= 0:
        return [0.0] * len(scores)
    return [max(0.0, score / best) for score in scores]


def fuse(
    dense: Iterable[tuple[int, float]], lexical: Sequence[tuple[int, float]], lexical_weight: float, depth: int
) -> list[Fused]:
    """The ``depth`` best candidates of both pools, best first, ties broken by the smaller id.

    ``dense`` holds (chunk id, cosine) of every candidate, lexical-only ones too (the caller fills them in);
    ``lexical`` (chunk id, BM25) of the lexical hits. Raises ValueError where a lexical hit has no dense score.
    """
    cosine = dict(dense)
    matched = dict(zip((i for i, _ in lexical), normalise_lexical([s for _, s in lexical]), strict=True))
    unscored = sorted(matched.keys() - cosine.keys())
    if unscored:
        raise ValueError(f"lexical hits without a dense score: {unscored[:5]}")
    fused = [
        Fused(chunk_id, score, matched.get(chunk_id, 0.0), score + lexical_weight * matched.get(chunk_id, 0.0))
        for chunk_id, score in cosine.items()
    ]
    fused.sort(key=lambda candidate: (-candidate.fused_score, candidate.chunk_id))
    return fused[:depth]


def final_scores(blend: Blend, dense: Floats, lexical: Floats, rerank: Floats | None) -> FloatArray:
    """``final_score`` of each candidate: shape ``(n,)``.

    Raises ValueError when the lengths differ, or when the blend needs rerank scores and there are none.
    """
    if len(dense) != len(lexical) or (rerank is not None and len(rerank) != len(dense)):
        raise ValueError("dense, lexical and rerank scores of different lengths")
    final = blend.dense * _column(dense) + blend.lexical * _column(lexical)
    if rerank is None:
        if blend.rerank:
            raise ValueError("this blend weighs rerank scores, and none were given")
        return final
    return final + blend.rerank * _column(rerank)


def order(final: Floats, first_stage_rank: Sequence[int]) -> list[int]:
    """Positions of the candidates, best ``final`` first; ties keep the first stage's order."""
    if len(final) != len(first_stage_rank):
        raise ValueError(f"{len(final)} scores for {len(first_stage_rank)} candidates")
    return sorted(range(len(final)), key=lambda i: (-float(final[i]), first_stage_rank[i]))


def _column(scores: Floats) -> FloatArray:
    return np.asarray(scores, dtype=np.float64)
