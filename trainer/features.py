"""Features of (query, passage) pairs under one frozen body, computed once and used by every head over it.

A head's logit is a dot product. So the version, its folds, and every other version over the same body are trained and
scored for the price of one pass through the transformer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from store.engines.features import MOST_DIFFERENCE, FastFeatures
from store.errors import Cancelled, InvalidInput
from store.scorer import Scorer
from store.types import Json
from trainer.base import body_of
from trainer.evaluate import FloatArray, Scores
from trainer.kept_features import KeptFeatures, Rows, key_of

Pairs = Sequence[tuple[str, str]]
WINDOW = 256
"""Pairs of about one length that are tokenised together, and reported together."""
LOOKED_AT = 16
"""Kept features that are computed anew each night, to see whether what is kept can be believed."""
MANY = 500
"""Pairs from which a faster engine is worth the seconds that it takes to get ready."""
log = logging.getLogger("rankloop.trainer")


@dataclass(frozen=True, slots=True)
class FeatureProgress:
    pairs_done: int
    pairs: int
    pairs_per_second: float
    seconds_left: float

    def as_json(self) -> Json:
        return {"phase": "features", **asdict(self)}


@dataclass(frozen=True, slots=True)
class Head:
    """``logit = features @ weights + bias``; weights ``(f,)``."""

    weights: FloatArray
    bias: float

    def logits(self, features: FloatArray) -> FloatArray:
        """Shape ``(n, f)`` → ``(n,)``."""
        return np.asarray(features @ self.weights + self.bias, dtype=np.float32)


class FeatureStore:
    """Features by pair, in memory: 4.5 kB a pair with the packaged encoder.

    ``cancelled`` is asked before every forward pass of a few pairs. ``kept``: the folder in which features of one night
    wait for the next.
    """

    def __init__(self, base: Path, max_length: int, cancelled: Callable[[], bool], kept: Path | None = None) -> None:
        """Raises InvalidInput for a base that does not end in a linear head over pooled features."""
        self._scorer = Scorer.load(base, max_length=max_length)
        self._body = body_of(base)
        if self._scorer.head is None or self._body is None:
            raise InvalidInput("this base has no linear head over pooled features")
        self._features = FastFeatures(self._scorer)
        self._engine: str | None = None
        self._cancelled = cancelled
        self._rows: dict[tuple[str, str], npt.NDArray[np.float32]] = {}
        self._kept = None if kept is None else KeptFeatures(kept, self._body, max_length)
        self._looked = False
        self._before: Rows = {} if self._kept is None else self._kept.load()

    def prepare(
        self, pairs: Iterable[tuple[str, str]], report: Callable[[FeatureProgress], None] = lambda _: None
    ) -> int:
        """Compute what is missing, in one go so that batches hold pairs of one length. Returns how many were missing.

        The same pairs in whatever order give the same features; those of an earlier night, made in other batches or by
        another engine, may differ by 1e-4. What was computed is kept even where Cancelled is raised.
        """
        missing = sorted(self._recall(pairs), key=lambda pair: (_length(pair), pair))
        try:
            self._make(missing, report)
        finally:
            if self._kept is not None and len(missing) >= MANY:
                self._kept.save({key_of(pair): row for pair, row in self._rows.items()}, self._before)
        return len(missing)

    def _recall(self, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """The pairs that no night has computed."""
        wanted = {pair for pair in pairs if pair not in self._rows}
        if self._before:
            kept = {pair: row for pair in wanted if (row := self._before.get(key_of(pair))) is not None}
            if self._sound(kept):
                self._rows.update(kept)
        return wanted - self._rows.keys()

    def _sound(self, kept: Mapping[tuple[str, str], npt.NDArray[np.float32]]) -> bool:
        """Whether a few of them, once a night, are what torch computes now; if not, all are forgotten."""
        if self._looked or not kept:
            return True
        self._looked = True
        some = sorted(kept, key=key_of)[:LOOKED_AT]
        difference = float(np.abs(np.stack([kept[pair] for pair in some]) - self._scorer.features(some)).max())
        if difference <= MOST_DIFFERENCE:
            return True
        log.warning("kept features are wrong by up to %.1e, they are computed again", difference)
        self._before = {}
        if self._kept is not None:
            self._kept.forget()
        return False

    def _make(self, missing: Sequence[tuple[str, str]], report: Callable[[FeatureProgress], None]) -> None:
        if self._engine is None and len(missing) >= MANY:
            self._engine = self._features.hasten()
            log.info("features are computed by %s", self._engine)
        began = time.monotonic()
        for start in range(0, len(missing), WINDOW):
            window = missing[start : start + WINDOW]
            self._rows.update(zip(window, self._features.features(window, self._check), strict=True))
            done = start + len(window)
            pace = done / max(time.monotonic() - began, 1e-9)
            work_left = sum(map(_length, missing[done:])) / max(1, sum(map(_length, missing[:done])))
            report(FeatureProgress(done, len(missing), pace, work_left * (time.monotonic() - began)))

    def _check(self, _: int) -> None:
        if self._cancelled():
            raise Cancelled("computing features was asked to stop")

    def of(self, pairs: Pairs) -> FloatArray:
        """Features ``(n, f)``, computed where missing. Raises Cancelled."""
        self.prepare(pairs)
        return np.stack([self._rows[pair] for pair in pairs])

    def shortcut(self, directory: Path, scorer: Scorer) -> Scores:
        """Scores like ``scorer``, loaded from ``directory``: by features where it shares this body, else itself."""
        if scorer.head is None or body_of(directory) != self._body:
            return scorer
        weights, bias = scorer.head
        return HeadScores(self, Head(weights, bias))


@dataclass(frozen=True, slots=True)
class HeadScores:
    """A head over stored features, as ``trainer.evaluate`` scores with it."""

    store: FeatureStore
    head: Head

    def score(self, query: str, texts: Sequence[str]) -> FloatArray:
        """Raises Cancelled."""
        if not texts:
            return np.zeros(0, dtype=np.float32)
        return self.head.logits(self.store.of([(query, text) for text in texts]))


def _length(pair: tuple[str, str]) -> int:
    return len(pair[0]) + len(pair[1])
