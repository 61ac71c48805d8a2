"""Keeps the vector index in step with SQL, which is the truth, and brings it back when it is not.

A marker in SQL says which generation of which encoder's vectors the index holds and how many points that is.
It is written last: whatever kills the process before, the next start sees the difference and fills the index again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from store import chunks, meta, texts
from store.batches import batches
from store.database import Database
from store.encoder import Encoder
from store.vectors import Point, VectorIndex

_MARKER = "vector_index"
_PAGE = 2048


def in_step(db: Database, vectors: VectorIndex, encoder: Encoder) -> bool:
    """Whether the index holds every live chunk that has a vector, and nothing else."""
    with db.read() as tx:
        return bool(meta.get(tx, _MARKER) == _state(chunks.generation(tx), vectors, encoder))


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


def apply(db: Database, vectors: VectorIndex, encoder: Encoder, added: Sequence[int], retired: Sequence[int]) -> None:
    """Bring an index that was in step before these changes into step after them."""
    with db.read() as tx:
        generation = chunks.generation(tx)
    vectors.remove(retired)
    for ids in batches(added):
        with db.read() as tx:
            found = chunks.get(tx, ids)
            known = texts.get_vectors(tx, encoder.name, {chunk.content_hash for chunk in found.values()})
        points = [(c.id, c.repo, known[c.content_hash]) for c in found.values() if c.content_hash in known]
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
