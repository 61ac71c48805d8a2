"""Keeps the vector index in step with SQL, which is the truth, and brings it back when it is not.

A marker in SQL says which generation of which encoder's vectors the index holds and how many points that is.
It is written last: whatever kills the process before, the next start sees the difference and fills the index again.
"""

from __future__ import annotations

from collections.abc import Sequence

from store import chunks, meta, texts
from store.batches import batches
from store.database import Database
from store.encoder import Encoder
from store.refill import refill
from store.vectors import VectorIndex

_MARKER = "vector_index"


def in_step(db: Database, vectors: VectorIndex, encoder: Encoder) -> bool:
    """Whether the index holds exactly what SQL had at its present generation."""
    with db.read() as tx:
        return bool(meta.get(tx, _MARKER) == _state(chunks.generation(tx), vectors, encoder))


def sync_index(db: Database, vectors: VectorIndex, encoder: Encoder) -> bool:
    """Fill the index again from SQL when it is not in step; returns whether it was filled.

    Chunks without a vector are left out: ``embed_missing`` makes those, which takes minutes where this takes seconds.
    """
    if in_step(db, vectors, encoder):
        return False
    generation = refill(db, vectors, encoder.name)
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


def _mark(db: Database, vectors: VectorIndex, encoder: Encoder, generation: int) -> None:
    with db.write() as tx:
        meta.put(tx, _MARKER, _state(generation, vectors, encoder))


def _state(generation: int, vectors: VectorIndex, encoder: Encoder) -> dict[str, int | str]:
    return {"generation": generation, "encoder": encoder.name, "points": vectors.count()}
