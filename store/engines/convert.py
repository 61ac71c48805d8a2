"""Take a torch network over into OpenVINO."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils import logging as transformers_logging

from store.engines.names import GRAPH_FILE, WEIGHTS_FILE
from store.engines.openvino import last_line, library
from store.errors import ModelRefused, Unavailable
from store.scorer import Scorer
from store.weights import Network, PooledNetwork

_REFUSALS = (
    "GeneralFailure",
    "InitializationFailure",
    "NotImplementedFailure",
    "OpConversionFailure",
    "OpValidationFailure",
)
"""OpenVINO's own exceptions, which share no base class below ``Exception``."""


class Positional(nn.Module):
    """Tracing takes no dicts. Pooled form: the features, so that the head is multiplied in float32 outside."""

    def __init__(self, network: Network, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *inputs: Tensor) -> Tensor:
        named = dict(zip(self.names, inputs, strict=True))
        return self.network.pooled(named) if isinstance(self.network, PooledNetwork) else self.network(named)


def write(staged: Path, scorer: Scorer) -> None:
    """Add the engine's two files to a staged directory, whose scorer is given.

    Raises Unavailable without OpenVINO, ModelRefused for a network that it cannot take over.
    """
    model = convert(Positional(scorer.network, scorer.inputs), scorer.inputs)
    graph, weights = staged / GRAPH_FILE, staged / WEIGHTS_FILE
    graph.parent.mkdir(exist_ok=True)
    try:
        library().save_model(model, str(graph), compress_to_fp16=False)
    except RuntimeError as error:
        raise ModelRefused(f"OpenVINO cannot write this network: {last_line(error)}") from error
    # The library insists on .bin, which in a version directory would be a pickle.
    graph.with_suffix(".bin").rename(weights)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the tracer's warnings: what it bakes in is compared with torch afterwards."""
    loud = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(loud)


def convert(network: nn.Module, names: Sequence[str]) -> Any:
    """An ``openvino.Model`` of a network that takes integer tensors ``(pairs, tokens)`` by position, called ``names``.

    Raises Unavailable without OpenVINO, ModelRefused for a network that it cannot take over.
    """
    ov = library()
    try:  # not before library() has barred the telemetry
        from openvino import frontend  # type: ignore[import-untyped]
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder  # type: ignore[import-untyped]
    except ImportError as error:
        raise Unavailable(f"OpenVINO's converter is not installed here ({error})") from error

    refusals = tuple(getattr(frontend, name) for name in _REFUSALS)
    example = tuple(torch.ones((2, 7), dtype=torch.long) * (name != "token_type_ids") for name in names)
    try:
        with torch.no_grad(), _quietly():
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                network, example, strict=False, check_trace=False
            )
            front = frontend.FrontEndManager().load_by_framework("pytorch")
            decoder = TorchScriptPythonDecoder(traced)  # the front end keeps no hold on it, so this name does
            model = front.convert(front.load(decoder))
        for place, name in zip(model.inputs, names, strict=True):
            place.get_node().set_partial_shape(ov.PartialShape([-1, -1]))
            place.get_node().set_element_type(ov.Type.i64)
            place.set_names({name})
        model.validate_nodes_and_infer_types()
    except (RuntimeError, ValueError, TypeError, AttributeError, LookupError, AssertionError, *refusals) as error:
        raise ModelRefused(f"OpenVINO cannot take over this network: {last_line(error)}") from error
    return model
