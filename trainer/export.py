"""The engines a staged model may be served with, each measured against torch in float32."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from store.manifest import Engine, Probe, torch_engine
from store.scorer import Scorer
from store.types import EvalQuery
from trainer.evaluate import FloatArray, score_queries


def export_engines(staged: Path, probes: Sequence[Probe], max_length: int) -> tuple[Scorer, tuple[Engine, ...]]:
    """Load the staged model as a server would, and list the engines that may serve it.

    Raises ModelRefused when the directory is not a plain, complete cross-encoder.
    """
    return Scorer.load(staged, max_length=max_length), (torch_engine(probes),)


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
