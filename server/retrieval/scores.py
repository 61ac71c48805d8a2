"""Scores that have been computed for the version that serves, so that asking again costs nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np

from store.scorer import Logits

Key = tuple[int, str, str]
"""Version, query, content hash of the chunk: all that a score depends on."""


class ScoreCache:
    """At most ``size`` scores; the ones used longest ago go first. Safe to share between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._scores: OrderedDict[Key, float] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._scores)

    def scores(self, version: int, query: str, hashes: Sequence[str], compute: Callable[[list[int]], Logits]) -> Logits:
        """Logits ``(n,)`` of the chunks with these content hashes.

        ``compute`` gets the places among them that are not known, each content once, and returns their logits.
        """
        keys = [(version, query, name) for name in hashes]
        with self._lock:
            known = {key: self._scores[key] for key in keys if key in self._scores}
            for key in known:
                self._scores.move_to_end(key)
        missing = {key: place for place, key in enumerate(keys) if key not in known}
        if missing:
            fresh = dict(zip(missing, compute(list(missing.values())).tolist(), strict=True))
            known.update(fresh)
            with self._lock:
                self._scores.update(fresh)
                while len(self._scores) > self._size:
                    self._scores.popitem(last=False)
        return np.array([known[key] for key in keys], dtype=np.float32)
