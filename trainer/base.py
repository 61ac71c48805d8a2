"""Where training starts: the packaged encoder with a zero head, or a cross-encoder named in the settings."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from store.errors import InvalidInput, Unavailable

RESIDUAL = "residual"
_LAYOUT = 1  # raise when make_residual_base writes other weights from the same encoder


@dataclass(frozen=True, slots=True)
class Base:
    """A cross-encoder directory that training starts from."""

    name: str
    path: Path
    residual: bool
    """Its logits are exactly zero: on its own it ranks as the first stage does."""


def make_residual_base(encoder: Path, directory: Path, max_length: int = 256) -> Path:
    """Write a cross-encoder over the encoder's transformer whose logit is exactly 0 for every pair.

    A sentence encoder comes without the pooler and the classifier of a sequence classifier. Nothing is drawn at random
    for them, so one encoder gives one base: the pooler starts as the identity, the classifier as zero. Token type 1,
    which a sentence encoder never saw, starts as a copy of type 0. With a zero classifier the first step's gradient
    reaches the classifier alone; the transformer learns from the second step on.

    ``max_length`` is the number of tokens of a (query, passage) pair. Loads with plain ``CrossEncoder(directory)``.
    """
    with tempfile.TemporaryDirectory(prefix="rankloop-base-") as scratch:
        model, report = AutoModelForSequenceClassification.from_pretrained(
            encoder, num_labels=1, dtype=torch.float32, local_files_only=True, output_loading_info=True
        )
        _start_neutral(model, report["missing_keys"])
        model.save_pretrained(scratch)
        AutoTokenizer.from_pretrained(encoder, local_files_only=True).save_pretrained(scratch)
        return _save(CrossEncoder(scratch, device="cpu", max_length=max_length, local_files_only=True), directory)


def _start_neutral(model: torch.nn.Module, missing: Iterable[str]) -> None:
    weights = dict(model.named_parameters())
    with torch.no_grad():
        for name in sorted(missing):
            weight = weights[name]
            square = weight.ndim == 2 and weight.shape[0] == weight.shape[1]
            weight.copy_(torch.eye(weight.shape[0]) if square else torch.zeros_like(weight))
        for name, weight in weights.items():
            if name.endswith("token_type_embeddings.weight") and weight.shape[0] > 1:
                weight[1] = weight[0]


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
    try:
        model = CrossEncoder(name, device="cpu", max_length=max_length)
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"the base {name!r} could not be loaded ({error}); set RANKLOOP_BASE to a directory or to 'residual'"
        ) from error
    if model.num_labels != 1:
        raise InvalidInput(f"the base {name!r} has {model.num_labels} labels; a reranker has exactly 1")
    _save(model, directory)
