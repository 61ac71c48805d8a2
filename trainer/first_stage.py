"""First-stage lists for questions nobody asked yet (golden, general), from SQL: the trainer owns no vector index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from store import blend, chunks, lexical
from store.database import Connection
from store.types import AnswerKind, Impression, ImpressionRow, Vector

_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class FirstStage:
    """All live vectors, shape ``(n, d)``, with chunk ids and repositories in the same order."""

    ids: npt.NDArray[np.int64]
    repos: npt.NDArray[np.str_]
    matrix: Vector
    lexical_weight: float

    @classmethod
    def load(cls, tx: Connection, encoder: str, lexical_weight: float) -> FirstStage:
        ids: list[int] = []
        repos: list[str] = []
        vectors: list[Vector] = []
        while page := chunks.live_vectors(tx, encoder, ids[-1] if ids else 0, _PAGE):
            ids += [chunk_id for chunk_id, _, _ in page]
            repos += [repo for _, repo, _ in page]
            vectors += [vector for _, _, vector in page]
        matrix = np.stack(vectors) if vectors else np.zeros((0, 1), dtype=np.float32)
        return cls(np.asarray(ids, dtype=np.int64), np.asarray(repos, dtype=np.str_), matrix, lexical_weight)

    def search(
        self, tx: Connection, query: str, vector: Vector, repo: str | None, depth: int, now: datetime
    ) -> Impression:
        """The list that the server would make, as an impression without an answer: dense and lexical, fused.

        Ranks and scores are the first stage's; nothing is shown or cited. Empty when nothing is indexed.
        """
        inside = np.arange(self.ids.size) if repo is None else np.flatnonzero(self.repos == repo)
        pool = max(2 * depth, 100)
        cosines = self.matrix[inside] @ vector if inside.size else np.zeros(0, dtype=np.float32)
        best = inside[np.argsort(-cosines, kind="stable")[:pool]]
        place = {int(self.ids[index]): int(index) for index in inside}
        hits = [(chunk_id, score) for chunk_id, score in lexical.search(tx, query, repo, pool) if chunk_id in place]
        wanted = {int(self.ids[index]) for index in best} | {chunk_id for chunk_id, _ in hits}
        dense = [(chunk_id, float(self.matrix[place[chunk_id]] @ vector)) for chunk_id in sorted(wanted)]
        fused = blend.fuse(dense, hits, self.lexical_weight, depth)
        found = chunks.get(tx, [one.chunk_id for one in fused])
        rows = tuple(
            ImpressionRow(
                chunk_id=one.chunk_id,
                content_hash=found[one.chunk_id].content_hash,
                dense_score=one.dense_score,
                lexical_score=one.lexical_score,
                fused_score=one.fused_score,
                rerank_score=None,
                final_score=one.fused_score,
                first_stage_rank=rank,
                rank=rank,
                shown=False,
                cited=False,
            )
            for rank, one in enumerate(fused, start=1)
        )
        return Impression("", query, repo, "", AnswerKind.SEARCH, 0, now, rows)
