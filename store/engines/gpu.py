"""Run a network on this machine's GPU: torch, in float32, so that it gives what torch gives on the processor."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable
from threading import Lock
from typing import TypeAlias

import numpy as np
import torch
from torch import nn

from store.engines.names import GPU
from store.errors import ModelRefused, Unavailable
from store.scorer import Inputs, Logits

Device: TypeAlias = torch.device
MICRO_BATCH = 64
"""Rows of a forward pass: a GPU waits for its next call longer than it computes a small one."""


_FAILURES = (RuntimeError, AssertionError, TypeError, torch.cuda.DeferredCudaCallError)
"""What torch raises for a device that is full, broken, half installed, or lacks an operation."""
log = logging.getLogger("rankloop.store")


def device() -> torch.device | None:
    """This machine's GPU; None where there is none, or none that answers."""
    try:
        return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    except _FAILURES as error:
        log.warning("no GPU is used: %s", _reason(error))
        return None


class Gpu:
    """A copy of a network on a device. Safe to share between threads: the next call waits for the one before."""

    def __init__(self, network: nn.Module, names: tuple[str, ...], place: torch.device) -> None:
        """``network`` takes integer tensors ``(rows, tokens)`` by position, called ``names``.

        Raises Unavailable where the device can't take it.
        """
        self._names, self._place = names, place
        self._busy = Lock()
        try:
            self._network = copy.deepcopy(network).eval().to(place)
        except _FAILURES as error:
            raise Unavailable(f"the GPU cannot take the network: {_reason(error)}") from error

    def outputs(self, batches: Iterable[tuple[list[int], Inputs]], shape: tuple[int, ...]) -> Logits:
        """As ``Backend`` says."""
        made: Logits = np.full(shape, np.nan, dtype=np.float32)
        try:
            with self._busy, torch.inference_mode():
                for places, inputs in batches:
                    tensors = (torch.from_numpy(inputs[name]).to(self._place) for name in self._names)
                    made[places] = self._network(*tensors).float().cpu().numpy()
        except _FAILURES as error:
            raise ModelRefused(f"the GPU failed: {_reason(error)}") from error
        if not bool(np.isfinite(made).all()):
            raise ModelRefused(f"{GPU} gave something that is not a finite number")
        return made


def _reason(error: BaseException) -> str:
    """CUDA says it first and explains at length."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
