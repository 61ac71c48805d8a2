"""Exact nearest neighbours in memory: each vector once, as a row of a block, all scanned by one product a block."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from store.types import Vector

BLOCK = 16_384
"""Rows a block: growing takes a new block and copies nothing. Pages that hold no row yet take no memory."""

Hit = tuple[int, float]
"""Id, cosine."""
Point = tuple[int, str, Vector]
"""Chunk id, repository name, vector of shape ``(d,)``."""


class ExactIndex:
    """Unit vectors of one repository by id. Threads that share one need a lock."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._blocks: list[Vector] = []
        self._ids: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._rows: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, ids: Sequence[int], vectors: Vector) -> None:
        """Add or replace; ``vectors`` has shape ``(len(ids), d)``, each row of length 1."""
        for id_, vector in zip(ids, vectors, strict=True):
            row = self._rows.setdefault(id_, len(self._rows))
            self._make_room(row)
            self._blocks[row // BLOCK][row % BLOCK] = vector
            self._ids[row] = id_

    def remove(self, ids: Iterable[int]) -> None:
        """Unknown ids are ignored. The last row moves into the gap."""
        for id_ in ids:
            gap = self._rows.pop(id_, None)
            if gap is None:
                continue
            last = len(self._rows)
            if gap != last:
                moved = int(self._ids[last])
                self._blocks[gap // BLOCK][gap % BLOCK] = self._blocks[last // BLOCK][last % BLOCK]
                self._ids[gap], self._rows[moved] = moved, gap
        del self._blocks[-(-len(self._rows) // BLOCK) :]

    def search(self, vector: Vector, limit: int) -> list[Hit]:
        """Up to ``limit`` nearest to the unit vector, best first, ties by id."""
        count = len(self._rows)
        if count == 0 or limit < 1:
            return []
        scores = np.empty(count, dtype=np.float32)
        for number, block in enumerate(self._blocks):
            part = scores[number * BLOCK : (number + 1) * BLOCK]
            np.dot(block[: len(part)], vector, out=part)
        near = np.arange(count) if count <= limit else np.flatnonzero(scores >= _kth(scores, limit))
        order = near[np.lexsort((self._ids[near], -scores[near]))][:limit]
        return [(int(self._ids[row]), float(scores[row])) for row in order]

    def _make_room(self, row: int) -> None:
        if row == len(self._blocks) * BLOCK:
            self._blocks.append(np.empty((BLOCK, self._dimension), dtype=np.float32))
        if row == len(self._ids):
            self._ids = np.concatenate([self._ids, np.empty(max(64, row), dtype=np.int64)])


def _kth(scores: npt.NDArray[np.float32], limit: int) -> np.float32:
    found: np.float32 = np.partition(scores, -limit)[-limit]
    return found


class ExactStore:
    """All repositories of an index, each in an ``ExactIndex`` of its own: a search of one scans no other."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._repos: dict[str, ExactIndex] = {}

    def search(self, vector: Vector, repo: str | None, limit: int, hidden: Collection[str]) -> list[Hit]:
        """Up to ``limit`` of each repository that is asked for and not hidden, in no order."""
        names = [name for name in self._repos if name not in hidden and repo in (None, name)]
        return [hit for name in names for hit in self._repos[name].search(vector, limit)]

    def upsert(self, points: Sequence[Point]) -> None:
        """Vectors of length 1."""
        by_repo: dict[str, list[Point]] = {}
        for point in points:
            by_repo.setdefault(point[1], []).append(point)
        for repo, members in by_repo.items():
            index = self._repos.setdefault(repo, ExactIndex(self._dimension))
            index.put([id_ for id_, *_ in members], np.stack([vector for *_, vector in members]))

    def remove(self, ids: Sequence[int]) -> None:
        for index in self._repos.values():
            index.remove(ids)

    def count(self) -> int:
        return sum(map(len, self._repos.values()))

    def close(self) -> None:
        self._repos.clear()
