"""Fills a vector index from SQL, which is the source of truth for vectors."""

from __future__ import annotations

from collections.abc import Iterator

from store import chunks
from store.database import Database
from store.vectors import Point, VectorIndex

PAGE = 2_000


def refill(db: Database, index: VectorIndex, encoder: str) -> int:
    """Make ``index`` hold every live chunk that ``encoder`` has encoded; returns the index generation it now shows."""
    with db.read() as tx:
        generation = chunks.generation(tx)

        def pages() -> Iterator[list[Point]]:
            after = 0
            while page := chunks.live_vectors(tx, encoder, after, PAGE):
                yield page
                after = page[-1][0]

        index.rebuild(pages())
    return generation
