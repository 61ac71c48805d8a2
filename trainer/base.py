"""Where training starts: the packaged encoder with a zero head, or a cross-encoder named in the settings."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from torch import nn
from transformers.utils.logging import disable_progress_bar

from store.bases import RESIDUAL
from store.errors import InvalidInput, Unavailable
from store.forms import BODY_FILES, MODES, form_of
from store.weights import LOADING_ERRORS

LAYERS_CUT = 1
"""Top layers left off: the last one is specialised for its own cosine, and a head over it generalises worse."""
_LAYOUT = 2  # raise when make_residual_base writes other weights from the same encoder


@dataclass(frozen=True, slots=True)
class Base:
    """A cross-encoder directory that training starts from."""

    name: str
    path: Path
    residual: bool
    """Its logits are exactly zero: on its own it ranks as the first stage does."""

    @property
    def pooled(self) -> bool:
        """Whether it ends in a linear head over pooled features, which can be fitted exactly."""
        return form_of(self.path, {file.relative_to(self.path).as_posix() for file in self.path.rglob("*")}) is not None


def body_of(directory: Path) -> str | None:
    """sha256 over the files that pooled features depend on; None where the directory is not of that form."""
    if not all((directory / name).is_file() for name in BODY_FILES):
        return None
    digest = hashlib.sha256()
    for name in BODY_FILES:
        with (directory / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def make_residual_base(encoder: Path, directory: Path, max_length: int = 256) -> Path:
    """Write a cross-encoder over the encoder's transformer whose logit is exactly 0 for every pair.

    All but the last layer, the three poolings, a head of zeros. Nothing is drawn at random, so one encoder gives one
    base. Token type 1, which a sentence encoder never saw, starts as a copy of type 0. With a zero head the first
    step's gradient reaches the head alone; fine-tuning moves the transformer from the second step on.

    ``max_length`` is the number of tokens of a (query, passage) pair. Loads with plain ``CrossEncoder(directory)``.
    Raises InvalidInput for an encoder whose layers are not to be found.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # for a pooler that the encoder came without; no logit depends on it
        transformer = Transformer(
            str(encoder),
            model_kwargs={"local_files_only": True, "dtype": torch.float32},
            processor_kwargs={"local_files_only": True, "model_max_length": max_length},
            config_kwargs={"local_files_only": True},
        )
        network = cast(Any, transformer.model)
        _cut(network)
        width = transformer.get_embedding_dimension()
        head = Dense(width * len(MODES), 1, activation_function=nn.Identity(), module_output_name="scores")
    with torch.no_grad():
        nn.init.zeros_(head.linear.weight)
        nn.init.zeros_(head.linear.bias)
        for name, weight in network.named_parameters():
            if name.endswith("token_type_embeddings.weight") and weight.shape[0] > 1:
                weight[1] = weight[0]
    model: CrossEncoder = CrossEncoder(modules=[transformer, Pooling(width, MODES), head], device="cpu")
    return _save(model, directory)


def _cut(network: Any) -> None:
    """Leave the top layers off."""
    layers = network.config.num_hidden_layers
    stacks = [module for module in network.modules() if isinstance(module, nn.ModuleList) and len(module) == layers]
    if len(stacks) != 1:
        raise InvalidInput(f"the encoder's {layers} layers were not found; set RANKLOOP_BASE to a cross-encoder")
    kept = max(1, layers - LAYERS_CUT)
    del stacks[0][kept:]
    network.config.num_hidden_layers = kept


def _save(model: CrossEncoder, directory: Path) -> Path:
    model.activation_fn = torch.nn.Identity()
    directory.parent.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(directory), create_model_card=False)
    return directory


def resolve_base(name: str, encoder_name: str, encoder: Path, bases: Path, max_length: int) -> Base:
    """Find or make the base called ``name`` below the folder ``bases``; made once, then reused.

    ``residual`` is made from the encoder at ``encoder``; anything else is a directory or a hub name of a cross-encoder
    with one label. Raises InvalidInput when it has more labels, Unavailable when it cannot be loaded.
    """
    source = f"{_LAYOUT}|{name}|{encoder_name if name == RESIDUAL else ''}|{max_length}"
    path = bases / hashlib.sha256(source.encode()).hexdigest()[:16]
    if not path.is_dir():
        building = path.with_name(f".{path.name}.building")
        shutil.rmtree(building, ignore_errors=True)
        if name == RESIDUAL:
            make_residual_base(encoder, building, max_length)
        else:
            _copy_cross_encoder(name, building, max_length)
        building.rename(path)
    return Base(name=name, path=path, residual=name == RESIDUAL)


def _copy_cross_encoder(name: str, directory: Path, max_length: int) -> None:
    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = CrossEncoder(name, device="cpu", max_length=max_length)
    except LOADING_ERRORS as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise Unavailable(
            f"the base {name!r} could not be loaded ({reason}); set RANKLOOP_BASE to a directory or to 'residual'"
        ) from error
    if model.num_labels != 1:
        raise InvalidInput(f"the base {name!r} has {model.num_labels} labels; a reranker has exactly 1")
    _save(model, directory)
