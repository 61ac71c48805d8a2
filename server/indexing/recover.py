"""Keeps the vector index in step with SQL, which is the truth, and brings it back when it is not.

A marker in SQL says which generation of which encoder's vectors the index holds and how many points that is.
It is written last: whatever kills the process before, the next start sees the difference and fills the index again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from store import chunks, meta
from store.batches import batches
from store.database import Database
from store.encoder import Encoder
from store.errors import RankloopError
from store.vectors import Point, VectorIndex

log = logging.getLogger("rankloop.server")

_MARKER = "vector_index"
_PAGE = 2048


def held(db: Database, vectors: VectorIndex, encoder: Encoder) -> int | None:
    """The generation that the index holds: every live chunk of it that has a vector, and nothing else.

    None where the index is out of step. Raises Unavailable when a Qdrant server does not answer.
    """
    with db.read() as tx:
        generation = chunks.generation(tx)
        return generation if meta.get(tx, _MARKER) == _state(generation, vectors, encoder) else None


def in_step(db: Database, vectors: VectorIndex, encoder: Encoder) -> bool:
    """Whether the index holds every live chunk that has a vector, and nothing else."""
    return held(db, vectors, encoder) is not None


def sync_index(db: Database, vectors: VectorIndex, encoder: Encoder) -> bool:
    """Fill the index again from SQL when it is not in step; returns whether it was filled.

    Chunks without a vector are left out: ``embed_missing`` makes those, which takes minutes where this takes seconds.
    """
    if in_step(db, vectors, encoder):
        return False
    with db.read() as tx:
        generation = chunks.generation(tx)
    vectors.rebuild(_live(db, encoder))
    _mark(db, vectors, encoder, generation)
    return True


def forget(
    db: Database, vectors: VectorIndex, encoder: Encoder, gone: Sequence[int], before: int | None, after: int
) -> None:
    """Take chunks that SQL has retired out of the index.

    ``before``: what the index held; ``after``: the generation that retired them. Only where nothing else happened
    between the two is the index in step again: what another change has left to do is not to be forgotten.
    """
    vectors.remove(gone)
    if before is not None and after == before + 1:
        _mark(db, vectors, encoder, after)


class InStep:
    """Around work that adds and retires chunks and makes vectors: afterwards the index is in step with it.

    Also when the work was cancelled or failed, with what it had stored until then: it would be filled again as a whole
    later. An index that was out of step before is filled as a whole now, unless the work failed.
    ``vectors`` None: no index is kept, and none is said to be; whoever opens one fills it.
    """

    def __init__(self, db: Database, vectors: VectorIndex | None, encoder: Encoder) -> None:
        self._db, self._vectors, self._encoder = db, vectors, encoder
        self.added: list[int] = []
        self.retired: list[int] = []

    def __enter__(self) -> InStep:
        if self._vectors is None:
            with self._db.write() as tx:
                meta.put(tx, _MARKER, None)
            return self
        with self._db.read() as tx:
            self._lacking = chunks.lacking_vectors(tx, self._encoder.name)
        self._was = in_step(self._db, self._vectors, self._encoder)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._vectors is None:
            return
        if kind is None:
            self._catch_up(self._vectors)
        elif issubclass(kind, Exception) and self._was:
            try:
                self._catch_up(self._vectors)
            except RankloopError as late:  # the work's own error is the one to be told
                log.warning("the vector index is out of step until it is filled again: %s", late.message)

    def _catch_up(self, vectors: VectorIndex) -> None:
        if self._was:
            apply(self._db, vectors, self._encoder, [*self._lacking, *self.added], self.retired)
        else:
            sync_index(self._db, vectors, self._encoder)


def apply(db: Database, vectors: VectorIndex, encoder: Encoder, added: Sequence[int], retired: Sequence[int]) -> None:
    """Bring an index that was in step before these changes into step after them."""
    with db.read() as tx:
        generation = chunks.generation(tx)
    vectors.remove(retired)
    for ids in batches(added):
        with db.read() as tx:
            points = chunks.live_vectors_among(tx, encoder.name, ids)
        if points:
            vectors.upsert(points)
    _mark(db, vectors, encoder, generation)


def _live(db: Database, encoder: Encoder) -> Iterator[list[Point]]:
    after = 0
    with db.read() as tx:
        while page := chunks.live_vectors(tx, encoder.name, after, _PAGE):
            yield page
            after = page[-1][0]


def _mark(db: Database, vectors: VectorIndex, encoder: Encoder, generation: int) -> None:
    with db.write() as tx:
        meta.put(tx, _MARKER, _state(generation, vectors, encoder))


def _state(generation: int, vectors: VectorIndex, encoder: Encoder) -> dict[str, int | str]:
    return {"generation": generation, "encoder": encoder.name, "points": vectors.count()}
