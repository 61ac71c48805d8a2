"""Long lists cut for SQL, whose statements take a bounded number of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

PARAMETERS = 500


def batches(items: Iterable[T], size: int = PARAMETERS) -> Iterator[list[T]]:
    """Consecutive lists of at most ``size`` items, without repeats of the same item within the whole."""
    rest = iter(dict.fromkeys(items))
    while batch := list(islice(rest, size)):
        yield batch
