"""The two forms of cross-encoder that a model directory may hold, read from its JSON files alone.

*Single*: one transformer with its own classifier, at the root. *Pooled*: a transformer at the root, the pooled states
of its last layer (cls, max, mean), and one linear head over them: three stock modules of sentence-transformers, so a
plain ``CrossEncoder(path)`` loads it. Nothing else is accepted: every other module is code that nobody here has read.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.errors import ModelRefused
from store.json_files import read_json

POOLING = "1_Pooling"
HEAD = "2_Dense"
HEAD_WEIGHTS = f"{HEAD}/model.safetensors"
MODES = ("cls", "max", "mean")
"""Poolings that a head may see, in any order."""
BODY_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "sentence_bert_config.json",
    f"{POOLING}/config.json",
)
"""What the features of the pooled form depend on: versions that share these bytes share their features."""

_TRANSFORMER = "sentence_transformers.base.modules.transformer.Transformer"
_MODULES = (
    ("", _TRANSFORMER),
    (POOLING, "sentence_transformers.sentence_transformer.modules.pooling.Pooling"),
    (HEAD, "sentence_transformers.base.modules.dense.Dense"),
)
_TRANSFORMER_CONFIG = {"transformer_task": "feature-extraction", "module_output_name": "token_embeddings"}
_HEAD_CONFIG = {
    "out_features": 1,
    "bias": True,
    "activation_function": "torch.nn.modules.linear.Identity",
    "module_input_name": "sentence_embedding",
    "module_output_name": "scores",
}


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pooled form: hidden width of the transformer, and the poolings in the order in which the head sees them."""

    width: int
    modes: tuple[str, ...]

    @property
    def features(self) -> int:
        return self.width * len(self.modes)


def form_of(directory: Path, names: Container[str]) -> Pooled | None:
    """None: the single form. ``names``: relative paths of the directory's files. Raises ModelRefused for any other."""
    if "modules.json" not in names:
        return None
    modules = read_json(directory / "modules.json")
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise ModelRefused("modules.json: expected a list of modules")
    found = tuple((module.get("path"), module.get("type")) for module in modules)
    if found == _MODULES:
        return _pooled(directory, names)
    if len(found) != 1:
        raise ModelRefused("modules.json: expected one transformer, or transformer, pooling and dense head")
    path, kind = found[0][0] or "", str(found[0][1])
    if not (kind.startswith("sentence_transformers.") and kind.endswith(".Transformer")) or path != "":
        raise ModelRefused(f"modules.json: expected a sentence-transformers Transformer at the root, got {kind!r}")
    return None


def _pooled(directory: Path, names: Container[str]) -> Pooled:
    missing = [name for name in (*BODY_FILES, f"{HEAD}/config.json", HEAD_WEIGHTS) if name not in names]
    if missing:
        raise ModelRefused(f"missing file: {', '.join(missing)}")
    _expect(directory, "sentence_bert_config.json", _TRANSFORMER_CONFIG)
    pooling = _object(directory, f"{POOLING}/config.json")
    width, modes = pooling.get("embedding_dimension"), pooling.get("pooling_mode")
    chosen = [modes] if isinstance(modes, str) else modes
    if not isinstance(width, int) or not isinstance(chosen, list) or not chosen or len(set(chosen)) != len(chosen):
        raise ModelRefused(f"{POOLING}/config.json: expected a width and a list of poolings")
    unknown = [str(mode) for mode in chosen if mode not in MODES]
    if unknown:
        raise ModelRefused(f"{POOLING}/config.json: unknown poolings {', '.join(unknown)}; known: {', '.join(MODES)}")
    form = Pooled(width, tuple(chosen))
    head = _expect(directory, f"{HEAD}/config.json", {**_HEAD_CONFIG, "in_features": form.features})
    if head.get("use_residual", False) is not False:
        raise ModelRefused(f"{HEAD}/config.json: the head is one linear map, without a residual")
    return form


def _object(directory: Path, name: str) -> dict[str, Any]:
    content = read_json(directory / name)
    if not isinstance(content, dict):
        raise ModelRefused(f"{name} is not an object")
    return content


def _expect(directory: Path, name: str, wanted: dict[str, Any]) -> dict[str, Any]:
    content = _object(directory, name)
    for key, value in wanted.items():
        if content.get(key) != value or type(content.get(key)) is not type(value):
            raise ModelRefused(f"{name}: {key} must be {value!r}, not {content.get(key)!r}")
    return content
