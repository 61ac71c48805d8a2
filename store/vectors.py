"""The dense index: in this process's memory, or a Qdrant server. Always rebuildable from SQL, never the truth itself.

In memory it is exact and filled from SQL at start (``rebuild``). qdrant-client's local mode did this once: it copies
two arrays for every point it adds, keeps up to twice the vectors' size and sorts all scores of a search (docs/LOG.md).
"""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from threading import RLock
from typing import IO, TYPE_CHECKING

import numpy as np

from store.errors import Unavailable
from store.exact import ExactStore, Hit, Point
from store.types import Vector

if TYPE_CHECKING:
    from store.qdrant import QdrantStore

__all__ = ["Point", "VectorIndex"]


class VectorIndex:
    """Searches vectors by cosine. Safe to share between threads: one lock guards everything."""

    def __init__(self, store: ExactStore | QdrantStore, dimension: int, owner: IO[str] | None = None) -> None:
        self._store = store
        self._dimension = dimension
        self._owner = owner
        self._lock = RLock()

    @classmethod
    def open(cls, path: Path | None, url: str | None, dimension: int) -> VectorIndex:
        """Open the index of a server at ``url``, else one in memory, empty until it is filled.

        ``path`` is a folder that says which process owns the index of a data directory.
        Raises Unavailable when another process owns it, or when the server does not answer.
        """
        if url is not None:
            from store.qdrant import QdrantStore  # 44 MB that only those with a Qdrant server need

            return cls(QdrantStore.connect(url, dimension), dimension)
        return cls(ExactStore(dimension), dimension, _own(path) if path is not None else None)

    def search(self, vector: Vector, repo: str | None, limit: int, hidden: Collection[str] = ()) -> list[Hit]:
        """Up to ``limit`` (chunk id, cosine) nearest to ``vector``, shape ``(d,)``, best first, ties by id.

        Nothing of the ``hidden`` repositories.
        """
        query = _unit(vector)
        with self._lock:
            found = self._store.search(query, repo, limit, hidden)
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:limit]

    def upsert(self, points: Sequence[Point]) -> None:
        """Add points, or replace those of the same id in the same repository."""
        with self._lock:
            self._store.upsert(_units(points))

    def remove(self, ids: Iterable[int]) -> None:
        """Take chunks out, whichever repository they are in; unknown ids are ignored."""
        gone = list(ids)
        if gone:
            with self._lock:
                self._store.remove(gone)

    def count(self) -> int:
        """Points in the index."""
        with self._lock:
            return self._store.count()

    def rebuild(self, points: Iterable[Sequence[Point]]) -> None:
        """Make the index hold exactly ``points``, given page by page.

        In memory a new index is filled beside the old one, which answers until then.
        """
        if isinstance(self._store, ExactStore):
            fresh = ExactStore(self._dimension)
            for page in points:
                fresh.upsert(_units(page))
            with self._lock:
                self._store = fresh
            return
        with self._lock:
            self._store.clear()
            for page in points:
                self._store.upsert(_units(page))

    def close(self) -> None:
        """Close the index and give up the folder."""
        with self._lock:
            self._store.close()
            if self._owner is not None:
                self._owner.close()
                self._owner = None


def _units(points: Sequence[Point]) -> list[Point]:
    return [(id_, repo, _unit(vector)) for id_, repo, vector in points]


def _unit(vector: Vector) -> Vector:
    """Dot products of unit vectors are cosines; a vector without length stays."""
    norm = float(np.linalg.norm(vector))
    return np.asarray(vector, dtype=np.float32) / np.float32(norm or 1.0)


def _own(path: Path) -> IO[str]:
    try:
        path.mkdir(parents=True, exist_ok=True)
        owner = (path / "owner.lock").open("a")
    except OSError as error:
        raise Unavailable(f"can't use the index folder {path}: {error}") from error
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner.close()
        raise Unavailable(
            f"another Rankloop process owns the index in {path}; ask it over HTTP, stop it, or set QDRANT_URL"
        ) from error
    return owner
