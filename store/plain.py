"""What a model directory may hold: the plain data of a cross-encoder, nothing that runs or leads elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store.engines.names import FILES as ENGINE_FILES
from store.errors import ModelRefused
from store.forms import form_of
from store.json_files import read_json

SUFFIXES = frozenset({".json", ".jsonl", ".md", ".model", ".safetensors", ".txt"})
"""Allow-list: pickles (.bin, .pt, .pkl), code (.py) and anything unknown are refused."""
NEEDED = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
MAX_FILE = 16 * 2**30
MAX_FILES = 200
_CODE_KEYS = frozenset({"auto_map", "custom_pipelines", "custom_code"})
_DATA_JSON = frozenset({"tokenizer.json", "vocab.json", "manifest.json", "rankloop.json"})
"""JSON files whose keys are data (a vocabulary may hold any word), not instructions to a loader."""


def files(directory: Path) -> dict[str, int]:
    """Relative POSIX path → size in bytes of every file below ``directory``.

    Raises ModelRefused for links, special files, empty folders, unknown kinds of file, empty or oversized ones.
    """
    try:
        mode = directory.lstat().st_mode
    except OSError as error:
        raise ModelRefused(f"no model directory at {directory}") from error
    if not stat.S_ISDIR(mode):
        raise ModelRefused(f"{directory} is not a directory")
    sizes = dict(_walk(directory, ""))
    if len(sizes) > MAX_FILES:
        raise ModelRefused(f"{len(sizes)} files: a model has at most {MAX_FILES}")
    return sizes


def check(directory: Path) -> dict[str, int]:
    """``files(directory)``, if a plain cross-encoder is in there. Raises ModelRefused with the reason."""
    sizes = files(directory)
    missing = [name for name in NEEDED if name not in sizes]
    if missing:
        raise ModelRefused(f"missing file: {', '.join(missing)}")
    for name in sizes:
        if name.endswith(".json") and name.rpartition("/")[2] not in _DATA_JSON:
            _refuse_code(read_json(directory / name), name)
    read_json(directory / "tokenizer.json")
    _check_modules(directory, sizes)
    return sizes


def is_known(name: str) -> bool:
    """Whether a file of this name below a model directory is of a kind that models have."""
    return name in ENGINE_FILES or Path(name).suffix.lower() in SUFFIXES


def _walk(directory: Path, prefix: str) -> Iterator[tuple[str, int]]:
    empty = True
    with os.scandir(directory) as entries:
        for entry in entries:
            empty = False
            name = prefix + entry.name
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                yield from _walk(directory / entry.name, name + "/")
            else:
                _check_file(name, info)
                yield name, info.st_size
    if empty:
        raise ModelRefused(f"empty folder: {prefix or '.'}")


def _check_file(name: str, info: os.stat_result) -> None:
    if stat.S_ISLNK(info.st_mode):
        raise ModelRefused(f"symbolic link: {name}")
    if not stat.S_ISREG(info.st_mode):
        raise ModelRefused(f"not a plain file: {name}")
    suffix = Path(name).suffix.lower()
    if not is_known(name):
        raise ModelRefused(f"{name}: files of kind {suffix or '(none)'} are refused; weights must be safetensors")
    if info.st_size == 0 and name not in ENGINE_FILES:  # damage there costs speed, not the version
        raise ModelRefused(f"empty file: {name}")
    if info.st_size > MAX_FILE:
        raise ModelRefused(f"{name} has {info.st_size} bytes, more than a model may have")


def _refuse_code(value: Any, name: str) -> None:
    """Refuse keys that make a loader import code from the directory or a hub."""
    if isinstance(value, dict):
        found = _CODE_KEYS & value.keys()
        if found:
            raise ModelRefused(f"{name} asks for code of its own ({', '.join(sorted(found))}): remote code is refused")
        for inner in value.values():
            _refuse_code(inner, name)
    elif isinstance(value, list):
        for inner in value:
            _refuse_code(inner, name)


def _check_modules(directory: Path, sizes: dict[str, int]) -> None:
    """One of the two forms of cross-encoder, and its activation one of torch's."""
    form_of(directory, sizes)
    if "config_sentence_transformers.json" in sizes:
        settings = read_json(directory / "config_sentence_transformers.json")
        activation = settings.get("activation_fn") if isinstance(settings, dict) else None
        if activation is not None and not str(activation).startswith("torch.nn.modules."):
            raise ModelRefused(f"config_sentence_transformers.json: activation {activation!r} is not one of torch's")
