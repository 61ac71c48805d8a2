"""Versions with the same body differ in their linear head only: each pair's features are computed once for all.

Used for evaluation alone. ``bench.loop`` compares 50 queries scored this way with what the server answers over HTTP.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from store.forms import BODY_FILES
from store.scorer import Logits, Scorer
from store.types import Candidate

Features = npt.NDArray[np.float32]
"""Shape ``(pairs, features)``."""


class FeatureStore:
    """Features of each query's cached list, one file a query below ``root`` and body."""

    def __init__(self, root: Path, lists: Mapping[str, Sequence[Candidate]]) -> None:
        self._root = root
        self._lists = lists

    def of(self, body: str, scorer: Scorer, query: str, texts: Sequence[str]) -> Features:
        """Features of these texts, ``(n, f)``. Raises KeyError for a text that is not in the query's list."""
        known = list(dict.fromkeys(one.chunk.text for one in self._lists[query]))
        name = hashlib.sha256("\n".join([query, *known]).encode()).hexdigest()[:24]
        file = self._root / body / f"{name}.npy"
        if file.exists():
            matrix: Features = np.load(file)
        else:
            matrix = scorer.features([(query, text) for text in known])
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part.npy")
            np.save(part, matrix)
            part.rename(file)
        places = {text: place for place, text in enumerate(known)}
        return matrix[[places[text] for text in texts]]


class LinearScorer(Scorer):
    """The head of a loaded scorer over stored features: the scorer's own logits to rounding."""

    def __init__(self, inner: Scorer, head: tuple[Features, float], body: str, store: FeatureStore) -> None:
        self._inner, self._head, self._body, self._store = inner, head, body, store

    def score(self, query: str, texts: Sequence[str]) -> Logits:
        weights, bias = self._head
        features = self._store.of(self._body, self._inner, query, texts)
        return np.asarray(features @ weights + bias, dtype=np.float32)


class Remembered(Scorer):
    """A scorer that scores each (query, text) once."""

    def __init__(self, inner: Scorer) -> None:
        self._inner = inner
        self._known: dict[str, dict[str, float]] = {}

    def score(self, query: str, texts: Sequence[str]) -> Logits:
        known = self._known.setdefault(query, {})
        new = list(dict.fromkeys(text for text in texts if text not in known))
        known.update(zip(new, self._inner.score(query, new).tolist(), strict=True))
        return np.asarray([known[text] for text in texts], dtype=np.float32)


def fast_scorer(scorer: Scorer, directory: Path, store: FeatureStore) -> Scorer:
    """The same logits for evaluation, each computed once."""
    head = scorer.head
    return Remembered(scorer) if head is None else LinearScorer(scorer, head, _body(directory), store)


def _body(directory: Path) -> str:
    digest = hashlib.sha256()
    for name in BODY_FILES:
        digest.update((directory / name).read_bytes())
    return digest.hexdigest()[:16]
