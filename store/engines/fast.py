"""A scorer by another engine than torch, which goes back to torch for good at the first sign of trouble."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from store.engines.backend import Backend
from store.errors import ModelRefused
from store.scorer import Logits, Scorer

MICRO_BATCH = 4
"""Pairs a forward pass and stream: measured in bench/speed."""
log = logging.getLogger("rankloop.store")


class FastScorer:
    """Raw logits like those of ``exact``, within the engine's stated bound. Safe to share between threads."""

    def __init__(self, name: str, exact: Scorer, engine: Backend, size: int = MICRO_BATCH) -> None:
        """``size``: pairs a forward pass."""
        self.name = name
        self.broken: str | None = None
        """Why torch scores instead since it happened."""
        self._exact = exact
        self._engine = engine
        self._size = size

    def score(self, query: str, texts: Sequence[str]) -> Logits:
        """``rerank_score`` of each text for the query: shape ``(n,)``. By torch where the engine fails."""
        return self.score_or_fall_back([(query, text) for text in texts])

    def score_or_fall_back(self, pairs: Sequence[tuple[str, str]]) -> Logits:
        """Raw logits ``(n,)``, by torch where the engine fails."""
        if self.broken is None:
            try:
                return self.score_pairs(pairs)
            except ModelRefused as error:
                self.broken = error.message
                log.error("%s failed, torch scores from now on: %s", self.name, error.message)
        return self._exact.score_pairs(pairs)

    def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> Logits:
        """Raw logits ``(n,)`` by the engine alone. Raises ModelRefused where it fails or they are not finite."""
        head = self._exact.head
        shape = (len(pairs),) if head is None else (len(pairs), len(head[0]))
        made = self._engine.outputs(self._exact.batches(pairs, self._size, long_first=True), shape)
        logits = made if head is None else np.asarray(made @ head[0] + head[1], dtype=np.float32)
        if not bool(np.isfinite(logits).all()):
            raise ModelRefused(f"{self.name} gave a score that is not a finite number")
        return logits
