"""Search: first stage, then reranking with the version that the request took at its start."""

from __future__ import annotations

import time
from dataclasses import dataclass

from server.retrieval.rerank import Reranker
from server.retrieval.retrieve import Retriever
from server.retrieval.scores import ScoreCache
from store.errors import NotFound
from store.loading import LoadedVersion
from store.types import Candidate


@dataclass(frozen=True, slots=True)
class Found:
    """The full ranked candidate list of a query, and which version ranked it."""

    query: str
    repo: str | None
    model_version: int
    candidates: tuple[Candidate, ...]
    timings: dict[str, float]
    """Stage → milliseconds."""


class Search:
    """The one path from a query to ranked candidates."""

    def __init__(
        self, retriever: Retriever, reranker: Reranker, first_stage: LoadedVersion, cache: ScoreCache | None = None
    ) -> None:
        self._retriever = retriever
        self._reranker = reranker
        self._first_stage = first_stage
        self._cache = cache

    def version(self, rerank: bool = True) -> LoadedVersion:
        """What a request that begins now is ranked by."""
        return self._reranker.current() if rerank else self._first_stage

    def find(
        self,
        query: str,
        repo: str | None,
        depth: int,
        loaded: LoadedVersion,
        hidden: frozenset[str] = frozenset(),
    ) -> Found:
        """Rank ``depth`` candidates for ``query`` under ``loaded``, as if the ``hidden`` repositories were not there.

        Raises NotFound for an unknown repository.
        """
        started = time.perf_counter()
        candidates = self._retriever.retrieve(query, repo, depth, hidden)
        retrieved = time.perf_counter()
        ranked = self._reranker.rerank(query, candidates, loaded, self._cache)
        ended = time.perf_counter()
        timings = {"retrieve": _ms(retrieved - started), "rerank": _ms(ended - retrieved)}
        return Found(query, repo, loaded.version.id, tuple(ranked), timings)

    def find_known(
        self,
        query: str,
        repo: str | None,
        depth: int,
        loaded: LoadedVersion,
        hidden: frozenset[str] = frozenset(),
    ) -> Found:
        """As ``find``, and nothing where the repository has been removed since."""
        try:
            return self.find(query, repo, depth, loaded, hidden)
        except NotFound:
            return Found(query, repo, loaded.version.id, (), {})


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
