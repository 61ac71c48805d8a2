"""The staged artefact as the gate sees it: timed, and held against the stored features that stand in for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from store.errors import ModelRefused
from store.scorer import Scorer
from store.types import EvalQuery
from trainer.evaluate import FloatArray, Scores, score_queries

SAMPLE = 12
"""Lists that the staged artefact scores itself where stored features stand in for it."""
TOLERANCE = 1e-3
"""Allowed difference of the two, times max(1, |logit|)."""


class Timed:
    """A scorer that keeps how long each full list took, in milliseconds.

    The trainer runs at nice 19 beside a server, so processor time over torch's threads counts where waiting was longer.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.milliseconds: list[float] = []

    def score(self, query: str, texts: Sequence[str]) -> FloatArray:
        wall, used = time.perf_counter(), time.process_time()
        logits = self._scorer.score(query, texts)
        busy = (time.process_time() - used) / max(1, torch.get_num_threads())
        self.milliseconds.append(1000 * min(time.perf_counter() - wall, busy))
        return logits

    def score_all(
        self,
        queries: Sequence[EvalQuery],
        texts: Mapping[str, str],
        report: Callable[[int], None] = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[FloatArray]:
        return score_queries(self, queries, texts, report, cancelled)

    def percentile95(self) -> float | None:
        """95th percentile; None when nothing was scored."""
        return float(np.percentile(self.milliseconds, 95)) if self.milliseconds else None


class Sampled:
    """A quick stand-in for a staged artefact, checked against it and timed by it on the first lists."""

    def __init__(self, artefact: Timed, shortcut: Scores) -> None:
        self._artefact = artefact
        self._shortcut = shortcut

    def score(self, query: str, texts: Sequence[str]) -> FloatArray:
        """Raises ModelRefused where the artefact disagrees with its stand-in."""
        quick = self._shortcut.score(query, texts)
        if len(self._artefact.milliseconds) >= SAMPLE:
            return quick
        exact = self._artefact.score(query, texts)
        if not bool(np.all(np.abs(exact - quick) <= TOLERANCE * np.maximum(1.0, np.abs(exact)))):
            worst = float(np.max(np.abs(exact - quick)))
            raise ModelRefused(f"the staged model's logits differ from the fitted ones by {worst:.6f}")
        return exact
