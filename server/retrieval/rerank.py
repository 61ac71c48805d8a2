"""Reranking: the one place where candidates get their final order, and the one reference that a swap replaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from store.blend import order
from store.loading import LoadedVersion
from store.types import Candidate


class Reranker:
    """Holds the serving version. A request takes ``current()`` once and uses it from beginning to end."""

    def __init__(self, loaded: LoadedVersion) -> None:
        self._loaded = loaded

    def current(self) -> LoadedVersion:
        """The version that serves now."""
        return self._loaded

    def swap(self, loaded: LoadedVersion) -> None:
        """Serve ``loaded`` from the next request on; requests in flight finish on what they took."""
        self._loaded = loaded

    @staticmethod
    def rerank(query: str, candidates: Sequence[Candidate], loaded: LoadedVersion) -> list[Candidate]:
        """The candidates by ``final_score`` under ``loaded``, with ``rerank_score`` (a logit) and ``rank`` set."""
        if not candidates:
            return []
        rerank, final = loaded.score(
            query,
            [candidate.chunk.text for candidate in candidates],
            [candidate.dense_score for candidate in candidates],
            [candidate.lexical_score for candidate in candidates],
        )
        ranked = order(final, [candidate.first_stage_rank for candidate in candidates])
        return [
            replace(
                candidates[i],
                rerank_score=None if rerank is None else float(rerank[i]),
                final_score=float(final[i]),
                rank=rank,
            )
            for rank, i in enumerate(ranked, 1)
        ]
