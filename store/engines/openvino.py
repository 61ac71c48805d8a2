"""Run an exported network with OpenVINO on the CPU. The only file that imports that library at run time."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any, cast

import numpy as np

from store.engines.names import GRAPH_FILE, OPENVINO, WEIGHTS_FILE
from store.errors import ModelRefused, Unavailable
from store.processors import processors
from store.scorer import Inputs, Logits

MOST_STREAMS = 8
"""Micro-batches in flight, one a core: no core waits for another within a layer."""
_TELEMETRY = "openvino_telemetry"


class Unsuited(Unavailable):
    """This machine is not made for it: nothing is broken, and there is nothing to mend."""


def library() -> Any:
    """The ``openvino`` package, kept from reporting its use to its makers. Raises Unavailable where there is none.

    On import it sends an event through ``openvino_telemetry`` where that package is importable, and it is always
    installed along. Rankloop sends nothing anywhere, so the name is barred first; the library then has a stand-in.
    """
    cast(dict[str, Any], sys.modules).setdefault(_TELEMETRY, None)
    try:
        import openvino  # type: ignore[import-untyped]
    except (ImportError, OSError) as error:
        raise Unavailable(f"OpenVINO is not installed here ({error})") from error
    return openvino


class OpenVino:
    """A compiled network. Safe to share between threads: one call uses all cores, the next one waits."""

    def __init__(self, model: Any, precision: str, threads: int = 0) -> None:
        """``model``: an ``openvino.Model``; ``precision``: "f32" or "bf16"; ``threads`` 0: one a core.

        Raises Unavailable where this machine can't run it.
        """
        ov = library()
        threads, streams = threads or processors(), streams_of(threads)
        self._busy = Lock()
        try:
            core = ov.Core()
            if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
                raise Unsuited("this processor has no bfloat16 arithmetic")
            options = {
                "INFERENCE_PRECISION_HINT": precision,
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": str(streams),
                "ENABLE_CPU_PINNING": False,
            }
            self._queue = ov.AsyncInferQueue(core.compile_model(model, "CPU", options), streams)
        except RuntimeError as error:
            raise Unavailable(f"OpenVINO cannot run it: {last_line(error)}") from error
        self._queue.set_callback(_keep)

    @classmethod
    def load(cls, directory: Path, name: str, threads: int = 0) -> OpenVino:
        """The engine ``name``, one of ``OPENVINO``, of a version directory.

        Raises Unavailable where this machine or this directory doesn't have it.
        """
        graph, weights = directory / GRAPH_FILE, directory / WEIGHTS_FILE
        missing = [file.name for file in (graph, weights) if not file.is_file()]
        if missing:
            raise Unavailable(f"the version has no file {', '.join(missing)}")
        ov = library()
        try:
            model = ov.Core().read_model(model=str(graph), weights=str(weights))
        except RuntimeError as error:
            raise Unavailable(f"OpenVINO cannot load it: {last_line(error)}") from error
        return cls(model, OPENVINO[name], threads)

    def outputs(self, batches: Iterable[tuple[list[int], Inputs]], shape: tuple[int, ...]) -> Logits:
        """The network's outputs by place, ``shape`` in all. Raises ModelRefused where it fails or gives no number."""
        made: Logits = np.full(shape, np.nan, dtype=np.float32)
        try:
            self.run(batches, made)
        except (RuntimeError, ValueError) as error:
            raise ModelRefused(f"OpenVINO failed: {error}") from error
        if not bool(np.isfinite(made).all()):
            raise ModelRefused("OpenVINO gave something that is not a finite number")
        return made

    def run(self, batches: Iterable[tuple[list[int], Inputs]], out: Logits) -> None:
        """Fill ``out[places]`` with the network's output for each batch. Raises RuntimeError where that fails."""
        with self._busy:
            try:
                for places, inputs in batches:
                    self._queue.start_async(inputs, (out, places))
            finally:
                self._queue.wait_all()


def streams_of(threads: int) -> int:
    """Micro-batches in flight with so many threads; 0: one a core."""
    return min(threads or processors(), MOST_STREAMS)


def _keep(request: Any, target: tuple[Logits, list[int]]) -> None:
    out, places = target
    out[places] = np.reshape(request.get_output_tensor(0).data, out[places].shape)


def last_line(error: BaseException) -> str:
    """The reason: OpenVINO puts it last, after its own source lines."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
