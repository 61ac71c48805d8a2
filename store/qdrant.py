"""A Qdrant server as the dense index: one collection a repository, so that a search of one needs no payload filter."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from store.errors import Unavailable
from store.exact import Hit, Point
from store.types import Vector

_PREFIX = "rankloop-"
_UPSERT = 512


class QdrantStore:
    """Every call raises Unavailable where the server does not answer."""

    def __init__(self, client: QdrantClient, url: str, dimension: int) -> None:
        self._client = client
        self._url = url
        self._dimension = dimension

    @classmethod
    def connect(cls, url: str, dimension: int) -> QdrantStore:
        store = cls(QdrantClient(url=url, timeout=30, check_compatibility=False), url, dimension)
        store.count()
        return store

    def search(self, vector: Vector, repo: str | None, limit: int, hidden: Collection[str]) -> list[Hit]:
        """Up to ``limit`` of each repository that is asked for and not hidden, in no order."""
        found: list[Hit] = []
        with _reached(self._url):
            names = self._collections() if repo is None else self._collections() & {_collection(repo)}
            for name in names - {_collection(name) for name in hidden}:
                answer = self._client.query_points(name, query=vector.tolist(), limit=limit, with_payload=False)
                found.extend((int(point.id), float(point.score)) for point in answer.points)
        return found

    def upsert(self, points: Sequence[Point]) -> None:
        """Vectors of length 1."""
        by_repo = defaultdict[str, list[Point]](list)
        for point in points:
            by_repo[point[1]].append(point)
        with _reached(self._url):
            names = self._collections()
            for repo, members in by_repo.items():
                name = _collection(repo)
                if name not in names:
                    size = models.VectorParams(size=self._dimension, distance=models.Distance.DOT)
                    self._client.create_collection(name, vectors_config=size)
                for start in range(0, len(members), _UPSERT):
                    part = members[start : start + _UPSERT]
                    batch = models.Batch(ids=[id_ for id_, *_ in part], vectors=[v.tolist() for *_, v in part])
                    self._client.upsert(name, batch)

    def remove(self, ids: Sequence[int]) -> None:
        gone: list[models.ExtendedPointId] = list(ids)
        with _reached(self._url):
            for name in self._collections():
                self._client.delete(name, points_selector=models.PointIdsList(points=gone))

    def count(self) -> int:
        with _reached(self._url):
            return sum(self._client.count(name).count for name in self._collections())

    def clear(self) -> None:
        """Take out every repository."""
        with _reached(self._url):
            for name in self._collections():
                self._client.delete_collection(name)

    def close(self) -> None:
        self._client.close()

    def _collections(self) -> set[str]:
        described = self._client.get_collections().collections
        return {collection.name for collection in described if collection.name.startswith(_PREFIX)}


class _reached:  # noqa: N801 - a context manager, named for how it reads
    """Turns a server's silence into Unavailable."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (ApiException, httpx.HTTPError)):
            raise Unavailable(f"the Qdrant server at {self._url} does not answer: {error}") from error


def _collection(repo: str) -> str:
    return _PREFIX + hashlib.sha256(repo.encode(errors="surrogatepass")).hexdigest()[:32]
