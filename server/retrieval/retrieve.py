"""The first stage: dense and lexical pools, fused into one candidate list."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from store import chunks, lexical, repos, texts, visibility
from store.blend import fuse
from store.database import Database
from store.encoder import Encoder
from store.types import Candidate, Chunk
from store.vectors import VectorIndex

MIN_POOL = 100
"""Hits that each of the two searches contributes at least, so that fusing has something to choose from."""


class Retriever:
    """Finds candidates. Safe to share between threads."""

    def __init__(self, db: Database, encoder: Encoder, vectors: VectorIndex, lexical_weight: float) -> None:
        self._db = db
        self._encoder = encoder
        self._vectors = vectors
        self._lexical_weight = lexical_weight

    def retrieve(
        self, query: str, repo: str | None, depth: int, hidden: frozenset[str] = frozenset()
    ) -> list[Candidate]:
        """The ``depth`` best live chunks in first-stage order, not reranked; of ``hidden`` repositories none.

        Raises NotFound for an unknown repo, and for a hidden one.
        """
        visibility.check_repo(repo, hidden)
        if repo is not None:
            with self._db.read() as tx:
                repos.get(tx, repo)
        pool = max(2 * depth, MIN_POOL)
        vector = self._encoder.encode_one(query)
        dense = self._vectors.search(vector, repo, pool, hidden)
        with self._db.read() as tx:
            matched = lexical.search(tx, query, repo, pool, hidden)
            found = chunks.get(tx, {chunk_id for chunk_id, _ in (*dense, *matched)})
            unscored = _without(dense, matched, found)
            vectors = texts.get_vectors(tx, self._encoder.name, {chunk.content_hash for chunk in unscored})
            # A chunk whose vector is not made yet (it is being indexed) is left out until it is.
            filled = {c.id: float(vector @ vectors[c.content_hash]) for c in unscored if c.content_hash in vectors}
            scored = {chunk_id: score for chunk_id, score in dense if chunk_id in found} | filled
            hits = [(chunk_id, score) for chunk_id, score in matched if chunk_id in scored]
            fused = fuse(scored.items(), hits, self._lexical_weight, len(scored))
            ordered = [candidate.chunk_id for candidate in fused]
            live = _live(ordered, {i for i, _ in hits}, partial(chunks.is_live, tx), depth)
        by_id = {candidate.chunk_id: candidate for candidate in fused}
        return [
            Candidate(
                chunk=found[chunk_id],
                dense_score=by_id[chunk_id].dense_score,
                lexical_score=by_id[chunk_id].lexical_score,
                fused_score=by_id[chunk_id].fused_score,
                first_stage_rank=rank,
                final_score=by_id[chunk_id].fused_score,
                rank=rank,
            )
            for rank, chunk_id in enumerate(live, 1)
        ]


def _without(dense: list[tuple[int, float]], matched: list[tuple[int, float]], found: dict[int, Chunk]) -> list[Chunk]:
    """Lexical-only hits: chunks whose cosine the dense search did not say."""
    said = {chunk_id for chunk_id, _ in dense}
    return [found[chunk_id] for chunk_id, _ in matched if chunk_id not in said and chunk_id in found]


def _live(ordered: list[int], known: set[int], is_live: Callable[[int], bool], depth: int) -> list[int]:
    """The first ``depth`` that are live: the vector index may lag behind SQL, the lexical index never does."""
    live: list[int] = []
    for chunk_id in ordered:
        if len(live) == depth:
            break
        if chunk_id in known or is_live(chunk_id):
            live.append(chunk_id)
    return live
