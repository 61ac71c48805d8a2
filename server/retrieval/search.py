"""Search: first stage, then reranking with the version that the request took at its start."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event, Semaphore

from server.retrieval.rerank import Reranker
from server.retrieval.retrieve import Retriever
from server.retrieval.scores import ScoreCache
from server.retrieval.together import Together
from store.errors import Cancelled, ModelRefused, NotFound
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
    """The one path from a query to ranked candidates. Safe to share between threads.

    ``abreast`` first stages at a time: each is mostly work for one processor, while the engine uses all.
    """

    def __init__(
        self,
        retriever: Retriever,
        reranker: Reranker,
        first_stage: LoadedVersion,
        cache: ScoreCache | None = None,
        abreast: int = 1,
    ) -> None:
        self._retriever = retriever
        self._reranker = reranker
        self._first_stage = first_stage
        self._cache = cache
        self._retrieving = Semaphore(abreast)
        self._together = Together()

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
        given_up: Event | None = None,
    ) -> Found:
        """Rank ``depth`` candidates for ``query`` under ``loaded``, as if the ``hidden`` repositories were not there.

        Raises NotFound for an unknown repository, Cancelled soon after ``given_up`` is set.
        """
        started = time.perf_counter()
        with self._retrieving:
            if given_up is not None and given_up.is_set():
                raise Cancelled("the question was given up before its turn")
            candidates = self._retriever.retrieve(query, repo, depth, hidden)
        retrieved = time.perf_counter()
        by, ranked = self._ranked(query, candidates, loaded, given_up)
        ended = time.perf_counter()
        timings = {"retrieve": _ms(retrieved - started), "rerank": _ms(ended - retrieved)}
        return Found(query, repo, by.version.id, tuple(ranked), timings)

    def _ranked(
        self, query: str, candidates: Sequence[Candidate], loaded: LoadedVersion, given_up: Event | None
    ) -> tuple[LoadedVersion, list[Candidate]]:
        """The candidates, and by which version: the first stage, where ``loaded`` can't score any more."""
        logits = partial(self._together.logits, loaded, given_up=given_up)
        try:
            return loaded, self._reranker.rerank(query, candidates, loaded, self._cache, logits)
        except ModelRefused:
            if loaded.lost is None:
                raise
        return self._first_stage, self._reranker.rerank(query, candidates, self._first_stage)

    def waiting(self) -> int:
        """Questions that wait for the engine."""
        return self._together.waiting()

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
