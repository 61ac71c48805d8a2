"""The dense index: Qdrant, one collection a repository. Always rebuildable from SQL, never the source of truth.

Without a server it is qdrant-client's local mode, kept in memory and filled from SQL at start (``rebuild``):
its folder form writes each point with its own fsync (18 ms a point measured, against 0.1 ms in memory), and reading
the folder back is no quicker than reading SQL. Collections by repository because the local payload filter looks at
every point in Python (170 ms at 6,000 points, against 3 ms for a collection without a filter).
"""

from __future__ import annotations

import fcntl
import hashlib
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from threading import RLock
from typing import IO

import httpx
import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from store.errors import Unavailable
from store.types import Vector

Point = tuple[int, str, Vector]
"""Chunk id, repository name, vector of shape ``(d,)``."""

_PREFIX = "rankloop-"
_UPSERT = 512


class VectorIndex:
    """Searches vectors by cosine. Safe to share between threads: one lock guards everything."""

    def __init__(self, client: QdrantClient, url: str | None, dimension: int, owner: IO[str] | None) -> None:
        self._client = client
        self._url = url
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
            index = cls(QdrantClient(url=url, timeout=30, check_compatibility=False), url, dimension, None)
            index.count()
            return index
        owner = _own(path) if path is not None else None
        return cls(QdrantClient(location=":memory:"), None, dimension, owner)

    def search(
        self, vector: Vector, repo: str | None, limit: int, hidden: Collection[str] = ()
    ) -> list[tuple[int, float]]:
        """Up to ``limit`` (chunk id, cosine) nearest to ``vector``, shape ``(d,)``, best first, ties by id.

        Nothing of the ``hidden`` repositories.
        """
        query = _unit(vector)
        found: list[tuple[int, float]] = []
        with self._lock, _reached(self._url):
            names = self._collections() if repo is None else self._collections() & {_collection(repo)}
            names -= {_collection(name) for name in hidden}
            for name in names:
                answer = self._client.query_points(name, query=query, limit=limit, with_payload=False)
                found.extend((int(point.id), float(point.score)) for point in answer.points)
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:limit]

    def upsert(self, points: Sequence[Point]) -> None:
        """Add points, or replace those of the same id in the same repository."""
        with self._lock, _reached(self._url):
            self._fill(self._client, points, self._collections())

    def remove(self, ids: Iterable[int]) -> None:
        """Take chunks out, whichever repository they are in; unknown ids are ignored."""
        gone: list[models.ExtendedPointId] = list(ids)
        if not gone:
            return
        with self._lock, _reached(self._url):
            for name in self._collections():
                self._client.delete(name, points_selector=models.PointIdsList(points=gone))

    def count(self) -> int:
        """Points in the index."""
        with self._lock, _reached(self._url):
            return sum(self._client.count(name).count for name in self._collections())

    def rebuild(self, points: Iterable[Sequence[Point]]) -> None:
        """Make the index hold exactly ``points``, given page by page.

        In memory a new index is filled beside the old one, which answers until then.
        """
        if self._url is not None:
            self._rebuild_server(points)
            return
        fresh = QdrantClient(location=":memory:")
        names: set[str] = set()
        for page in points:
            self._fill(fresh, page, names)
        with self._lock:
            old, self._client = self._client, fresh
        old.close()

    def close(self) -> None:
        """Close the index and give up the folder."""
        with self._lock:
            self._client.close()
            if self._owner is not None:
                self._owner.close()
                self._owner = None

    def _rebuild_server(self, points: Iterable[Sequence[Point]]) -> None:
        with self._lock, _reached(self._url):
            for name in self._collections():
                self._client.delete_collection(name)
            names: set[str] = set()
            for page in points:
                self._fill(self._client, page, names)

    def _collections(self) -> set[str]:
        described = self._client.get_collections().collections
        return {collection.name for collection in described if collection.name.startswith(_PREFIX)}

    def _fill(self, client: QdrantClient, points: Sequence[Point], names: set[str]) -> None:
        by_repo = defaultdict[str, list[Point]](list)
        for point in points:
            by_repo[point[1]].append(point)
        for repo, members in by_repo.items():
            name = _collection(repo)
            if name not in names:
                # Dot product of unit vectors is the cosine; local mode would norm every vector anew at each search.
                size = models.VectorParams(size=self._dimension, distance=models.Distance.DOT)
                client.create_collection(name, vectors_config=size)
                names.add(name)
            for start in range(0, len(members), _UPSERT):
                part = members[start : start + _UPSERT]
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message="Local mode is not recommended")
                    client.upsert(
                        name, models.Batch(ids=[id_ for id_, *_ in part], vectors=[_unit(v) for *_, v in part])
                    )


class _reached:  # noqa: N801 - a context manager, named for how it reads
    """Turns a server's silence into Unavailable."""

    def __init__(self, url: str | None) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (ApiException, httpx.HTTPError)):
            raise Unavailable(f"the Qdrant server at {self._url} does not answer: {error}") from error


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


def _collection(repo: str) -> str:
    return _PREFIX + hashlib.sha256(repo.encode(errors="surrogatepass")).hexdigest()[:32]


def _unit(vector: Vector) -> list[float]:
    norm = float(np.linalg.norm(vector))
    unit: list[float] = (np.asarray(vector, dtype=np.float32) / (norm or 1.0)).tolist()
    return unit
