"""Features of many pairs by the GPU or by OpenVINO in float32, where they give what torch gives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from store.engines.backend import Backend
from store.engines.convert import Positional, convert
from store.engines.gpu import MICRO_BATCH as GPU_BATCH
from store.engines.gpu import Device, Gpu, device
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
        self._engine: Backend | None = None
        self._size = MICRO_BATCH

    def hasten(self) -> str:
        """Take a GPU, else OpenVINO, if it can be had and agrees; says in words what came of it. Takes seconds."""
        refused = []
        place = device()
        if place is not None:
            refused.append(self._take(f"the GPU ({place.type})", partial(self._gpu, place), GPU_BATCH))
        if self._engine is None:
            refused.append(self._take("OpenVINO (float32)", self._openvino, MICRO_BATCH))
        return refused[-1] if self._engine is not None else f"torch, for {'; '.join(refused)}"

    def _take(self, name: str, make: Callable[[], Backend], size: int) -> str:
        """The name of the engine that is taken, or why it isn't."""
        try:
            engine = make()
            have = self._by(engine, _SAMPLE, lambda _: None)
        except (ModelRefused, Unavailable) as error:
            return error.message
        difference = float(np.abs(have - self._exact.features(_SAMPLE)).max())
        if not difference <= MOST_DIFFERENCE:
            return f"features of {name} differ by {difference:.1e}"
        self._engine, self._size = engine, size
        return name

    def _gpu(self, place: Device) -> Backend:
        return Gpu(Positional(self._exact.network, self._exact.inputs), self._exact.inputs, place)

    def _openvino(self) -> Backend:
        model = convert(Positional(self._exact.network, self._exact.inputs), self._exact.inputs)
        return OpenVino(model, "f32", self._threads)

    def features(self, pairs: Sequence[tuple[str, str]], each: Callable[[int], None]) -> Features:
        """``(n, f)`` float32. ``each`` as in ``Scorer.features``: what it raises ends the work."""
        if self._engine is not None:
            try:
                return self._by(self._engine, pairs, each)
            except ModelRefused as error:
                log.error("torch computes features from now on: %s", error.message)
                self._engine = None
        return self._exact.features(pairs, each=each)

    def _by(self, engine: Backend, pairs: Sequence[tuple[str, str]], each: Callable[[int], None]) -> Features:
        head = self._exact.head
        if head is None:
            raise ModelRefused("only the pooled form has features")
        return engine.outputs(self._counted(pairs, each), (len(pairs), len(head[0])))

    def _counted(
        self, pairs: Sequence[tuple[str, str]], each: Callable[[int], None]
    ) -> Iterator[tuple[list[int], Inputs]]:
        done = 0
        for places, inputs in self._exact.batches(pairs, self._size, long_first=True):
            each(done)
            yield places, inputs
            done += len(places)
