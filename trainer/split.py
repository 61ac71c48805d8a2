"""Which queries mean the same, and on which side of the split they stand. The side is chosen once and kept for ever.

A query within ``THRESHOLD`` cosine of a known one inherits its group. Otherwise a hash of the normalised query decides:
one fifth of the new groups is held out. A query near both sides joins the held-out one, and the train-side queries near
it leave training (they are *bridged*): no query that is trained on is ever within the threshold of a held-out one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from store.errors import InvalidInput
from store.types import Split, Vector

THRESHOLD = 0.9
"""Cosine of two queries that count as one question, for the packaged encoder (measured: docs/LOG.md)."""
HELD_OUT_SHARE = 0.2
_SALT = "rankloop split 1"
"""Changing it would move queries between training and evaluation: never change it."""


class KnownQuery(Protocol):
    """What is needed of a stored query (``store.queries.KnownQuery``)."""

    @property
    def id(self) -> int: ...
    @property
    def group_id(self) -> int: ...
    @property
    def split(self) -> Split: ...
    @property
    def vector(self) -> Vector: ...


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a new query belongs. ``group_id`` None asks for a new group."""

    group_id: int | None
    split: Split
    bridges: tuple[int, ...] = ()
    """Ids of known train-side queries that leave training, since this one is held out."""


def hash_split(normalised: str, share: float = HELD_OUT_SHARE) -> Split:
    """The side of a query that starts a group: held out where its salted sha256, read in [0, 1), is below ``share``."""
    digest = hashlib.sha256(f"{_SALT}\0{normalised}".encode("utf-8", "surrogatepass")).digest()
    return Split.HELD_OUT if int.from_bytes(digest[:8], "big") / 2**64 < share else Split.TRAIN


class Splitter:
    """Assigns queries one after the other; each must be added before the next is assigned.

    Holds all vectors in one growing matrix, shape ``(n, d)``, so that a file of thousands of queries takes seconds.
    """

    def __init__(self, known: Iterable[KnownQuery] = (), threshold: float = THRESHOLD) -> None:
        if not 0 < threshold <= 1:
            raise InvalidInput(f"the split's cosine threshold must be within (0, 1], got {threshold}")
        self._threshold = threshold
        self._ids: list[int] = []
        self._groups: list[int] = []
        self._splits: list[Split] = []
        self._matrix: Vector | None = None
        for query in known:
            self.add(query.id, query.group_id, query.split, query.vector)

    def add(self, query_id: int, group_id: int, split: Split, vector: Vector) -> None:
        row = _unit(vector)
        if self._matrix is None:
            self._matrix = np.zeros((256, row.size), dtype=np.float32)
        if row.size != self._matrix.shape[1]:
            raise InvalidInput(f"query vectors have {self._matrix.shape[1]} dimensions, this one {row.size}")
        if len(self._ids) == len(self._matrix):
            self._matrix = np.concatenate([self._matrix, np.zeros_like(self._matrix)])
        self._matrix[len(self._ids)] = row
        self._ids.append(query_id)
        self._groups.append(group_id)
        self._splits.append(split)

    def assign(self, normalised: str, vector: Vector) -> Assignment:
        """Where a query not seen before belongs. Raises InvalidInput for a vector of another size or with NaN."""
        near = self._near(_unit(vector))
        held_out = [index for index in near if self._splits[index] is Split.HELD_OUT]
        if held_out:
            bridged = sorted(self._ids[index] for index in near if self._splits[index] is Split.TRAIN)
            return Assignment(self._groups[held_out[0]], Split.HELD_OUT, tuple(bridged))
        if near:
            return Assignment(self._groups[near[0]], Split.TRAIN)
        return Assignment(None, hash_split(normalised))

    def _near(self, row: Vector) -> list[int]:
        """Indices of known queries within the threshold, nearest first, older first among equals."""
        if self._matrix is None:
            return []
        if row.size != self._matrix.shape[1]:
            raise InvalidInput(f"query vectors have {self._matrix.shape[1]} dimensions, this one {row.size}")
        cosines = self._matrix[: len(self._ids)] @ row
        near = np.flatnonzero(cosines >= self._threshold)
        return [int(index) for index in near[np.argsort(-cosines[near], kind="stable")]]


def assign(normalised: str, vector: Vector, known: Sequence[KnownQuery], threshold: float = THRESHOLD) -> Assignment:
    """One query against the known ones; see ``Splitter.assign``."""
    return Splitter(known, threshold).assign(normalised, vector)


def _unit(vector: Vector) -> Vector:
    row = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(row))
    if row.ndim != 1 or not np.isfinite(length) or length == 0:
        raise InvalidInput("a query vector must be one-dimensional, finite and not zero")
    return (row / np.float32(length)).astype(np.float32)
