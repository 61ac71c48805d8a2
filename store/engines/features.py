"""Features of many pairs by OpenVINO in float32, where it gives what torch gives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from store.engines.convert import Positional, convert
from store.engines.openvino import OpenVino
from store.errors import ModelRefused, Unavailable
from store.scorer import Inputs, Scorer
from store.weights import Features

MICRO_BATCH = 8
MOST_DIFFERENCE = 1e-4
"""Largest difference of a feature from torch's; features are of the size of 1 to 10, and 1e-5 is what was seen."""
_SAMPLE = [
    ("how to read a file", "def read(path):\n    with open(path) as file:\n        return file.read()"),
    ("parse", "x"),
    ("where are sessions kept and when do they end", "class Session:\n    ttl = 3600\n" * 12),
]
log = logging.getLogger("rankloop.store")


class FastFeatures:
    """``Scorer.features`` by whichever engine is faster and the same; goes back to torch for good when one fails."""

    def __init__(self, exact: Scorer, threads: int = 0) -> None:
        self._exact, self._threads = exact, threads
        self._engine: OpenVino | None = None

    def hasten(self) -> str:
        """Take OpenVINO from now on if it can be had and agrees; says in words what came of it. Takes seconds."""
        try:
            model = convert(Positional(self._exact.network, self._exact.inputs), self._exact.inputs)
            engine = OpenVino(model, "f32", self._threads)
            have = self._by(engine, _SAMPLE, lambda _: None)
        except (ModelRefused, Unavailable) as error:
            return f"torch, for {error.message}"
        difference = float(np.abs(have - self._exact.features(_SAMPLE)).max())
        if not difference <= MOST_DIFFERENCE:
            return f"torch, for OpenVINO's features differ by {difference:.1e}"
        self._engine = engine
        return "OpenVINO (float32)"

    def features(self, pairs: Sequence[tuple[str, str]], each: Callable[[int], None]) -> Features:
        """``(n, f)`` float32. ``each`` as in ``Scorer.features``: what it raises ends the work."""
        if self._engine is not None:
            try:
                return self._by(self._engine, pairs, each)
            except ModelRefused as error:
                log.error("torch computes features from now on: %s", error.message)
                self._engine = None
        return self._exact.features(pairs, each=each)

    def _by(self, engine: OpenVino, pairs: Sequence[tuple[str, str]], each: Callable[[int], None]) -> Features:
        head = self._exact.head
        if head is None:
            raise ModelRefused("only the pooled form has features")
        return engine.outputs(self._counted(pairs, each), (len(pairs), len(head[0])))

    def _counted(
        self, pairs: Sequence[tuple[str, str]], each: Callable[[int], None]
    ) -> Iterator[tuple[list[int], Inputs]]:
        done = 0
        for places, inputs in self._exact.batches(pairs, MICRO_BATCH, long_first=True):
            each(done)
            yield places, inputs
            done += len(places)
