"""The weights of a cross-encoder directory as a network that gives logits, checked while they are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from store.errors import ModelRefused
from store.forms import HEAD_WEIGHTS, Pooled
from store.processors import processors

LOADING_ERRORS = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError, SafetensorError)
"""What transformers raises for damaged directories."""

Features = npt.NDArray[np.float32]


def use_threads(threads: int) -> None:
    """Set torch's threads for the process. 0: as torch chose, but no more than ``processors()``.

    Torch sees which processors the process may use, and no limit on its time: in a container of two on a machine of
    sixteen it would take sixteen threads, which then wait for each other.
    """
    if threads > 0:
        torch.set_num_threads(threads)
    elif torch.get_num_threads() > processors():
        torch.set_num_threads(processors())


class Network(nn.Module):
    """Inputs as transformers takes them (right-padded) → logits ``(n,)``."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    @property
    def vocabulary(self) -> int:
        return int(self.transformer.get_input_embeddings().num_embeddings)

    @property
    def positions(self) -> int | None:
        """Longest input in tokens; None where there is no such bound."""
        return getattr(self.transformer.config, "max_position_embeddings", None)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return torch.as_tensor(self.transformer(**inputs).logits.squeeze(-1))


class PooledNetwork(Network):
    """The pooled form: ``logit = head · [poolings of the last hidden state] + bias``."""

    def __init__(self, transformer: Any, form: Pooled, weight: Tensor, bias: Tensor) -> None:
        super().__init__(transformer)
        self.form = form
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = nn.Parameter(bias, requires_grad=False)

    @property
    def head(self) -> tuple[Features, float]:
        return self.weight[0].numpy(), float(self.bias[0])

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return self.pooled(inputs) @ self.weight[0] + self.bias

    def pooled(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features ``(n, width * poolings)``, as sentence-transformers' ``Pooling`` makes them."""
        states = self.transformer(**inputs).last_hidden_state.float()
        real = inputs["attention_mask"].unsqueeze(-1)
        made = {
            "cls": lambda: states[:, 0],
            "max": lambda: states.masked_fill(real == 0, -torch.inf).max(dim=1).values,
            "mean": lambda: (states * real).sum(dim=1) / real.sum(dim=1),
        }
        return torch.cat([made[mode]() for mode in self.form.modes], dim=1)


_NetworkT = TypeVar("_NetworkT", bound=Network)


def load_single(path: Path) -> Network:
    """A transformer with its own classifier of one label. Raises ModelRefused."""
    return _complete(Network(_transformer(path, AutoModelForSequenceClassification, one_label=True)))


def load_pooled(path: Path, form: Pooled) -> PooledNetwork:
    """A transformer and the linear head over its pooled states. Raises ModelRefused."""
    transformer = _transformer(path, AutoModel, one_label=False)
    if transformer.config.hidden_size != form.width:
        raise ModelRefused(f"the poolings expect width {form.width}, the model has {transformer.config.hidden_size}")
    try:
        head = load_file(path / HEAD_WEIGHTS)
    except LOADING_ERRORS as error:
        raise ModelRefused(f"the weights cannot be loaded: {HEAD_WEIGHTS}: {first_line(error)}") from error
    wanted = {"linear.weight": (1, form.features), "linear.bias": (1,)}
    _refuse_keys("missing", wanted.keys() - head.keys(), HEAD_WEIGHTS)
    _refuse_keys("unexpected", head.keys() - wanted.keys(), HEAD_WEIGHTS)
    _refuse_keys("mismatched", {key for key, shape in wanted.items() if tuple(head[key].shape) != shape}, HEAD_WEIGHTS)
    if any(tensor.dtype is not torch.float32 for tensor in head.values()):
        raise ModelRefused(f"{HEAD_WEIGHTS}: expected float32")
    return _complete(PooledNetwork(transformer, form, head["linear.weight"], head["linear.bias"]))


def _transformer(path: Path, kind: Any, one_label: bool) -> Any:
    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        if one_label and config.num_labels != 1:
            raise ModelRefused(f"config.json: a reranker has one label, this model has {config.num_labels}")
        model, report = kind.from_pretrained(
            path,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except LOADING_ERRORS as error:
        raise ModelRefused(f"the weights cannot be loaded: {first_line(error)}") from error
    for problem in ("missing", "unexpected", "mismatched"):
        _refuse_keys(problem, {str(key) for key in report.get(f"{problem}_keys") or ()}, "model.safetensors")
    return model


def _refuse_keys(problem: str, keys: set[str], file: str) -> None:
    if keys:
        raise ModelRefused(f"{len(keys)} {problem} weights in {file}: {', '.join(sorted(keys)[:3])}")


def _complete(network: _NetworkT) -> _NetworkT:
    for name, weight in network.named_parameters():
        if not bool(torch.isfinite(weight).all()):
            raise ModelRefused(f"weights are not finite: {name.removeprefix('transformer.')}")
    return network.eval()


def first_line(error: BaseException) -> str:
    """The first line of an error's text, for a reason that a person reads."""
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
