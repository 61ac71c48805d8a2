"""Reranking: the one place where candidates get their final order, and the one reference that a swap replaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from server.retrieval.scores import ScoreCache
from store.blend import order
from store.loading import LoadedVersion
from store.scorer import Logits
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
    def rerank(
        query: str,
        candidates: Sequence[Candidate],
        loaded: LoadedVersion,
        cache: ScoreCache | None = None,
        logits: Callable[[str, Sequence[str]], Logits | None] | None = None,
    ) -> list[Candidate]:
        """The candidates by ``final_score`` under ``loaded``, with ``rerank_score`` (a logit) and ``rank`` set.

        ``logits``: how ``loaded`` is asked for scores, where not directly.
        """
        if not candidates:
            return []

        def compute(places: Sequence[int]) -> Logits:
            made = (logits or loaded.logits)(query, [candidates[i].chunk.text for i in places])
            assert made is not None
            return made

        rerank: Logits | None = None
        if loaded.scorer is not None:
            hashes = [candidate.chunk.content_hash for candidate in candidates]
            every = range(len(candidates))
            rerank = compute(every) if cache is None else cache.scores(loaded.version.id, query, hashes, compute)
        final = loaded.final(
            [candidate.dense_score for candidate in candidates],
            [candidate.lexical_score for candidate in candidates],
            rerank,
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
