"""Ways in which a model directory can be wrong, each with what the refusal must say."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

WEIGHTS = "model.safetensors"
Damage = Callable[[Path], None]
SPARSE = 10 * 2**30


def writable(directory: Path) -> None:
    """Published files are read-only."""
    for path in directory.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def truncated(model: Path) -> None:
    path = model / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1000])


def flip(path: Path, rng: random.Random) -> tuple[int, int]:
    """Turn one random bit of a file; which byte and bit it was."""
    content = bytearray(path.read_bytes())
    place, bit = rng.randrange(len(content)), rng.randrange(8)
    content[place] ^= 1 << bit
    path.write_bytes(content)
    return place, bit


def flip_back(path: Path, place: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def _resaved(change: Callable[[dict[str, torch.Tensor]], object]) -> Damage:
    def damage(model: Path) -> None:
        weights = load_file(model / WEIGHTS)
        change(weights)
        save_file(weights, model / WEIGHTS, metadata={"format": "pt"})

    return damage


def _edited(name: str, change: Callable[[dict[str, object]], object]) -> Damage:
    def damage(model: Path) -> None:
        content = json.loads((model / name).read_text())
        change(content)
        (model / name).write_text(json.dumps(content))

    return damage


def _swapped_words(tokenizer: dict[str, object]) -> None:
    """Another vocabulary of the same size: it loads without a word of complaint."""
    model = tokenizer["model"]
    assert isinstance(model, dict)
    words = [word for word in model["vocab"] if not word.startswith("[")]
    ids = [model["vocab"][word] for word in words]
    model["vocab"].update(zip(words, reversed(ids), strict=True))


def _larger_vocabulary(tokenizer: dict[str, object]) -> None:
    model = tokenizer["model"]
    assert isinstance(model, dict)
    model["vocab"]["zebra"] = len(model["vocab"])


def pickle_only(model: Path) -> None:
    weights = load_file(model / WEIGHTS)
    (model / WEIGHTS).unlink()
    (model / "pytorch_model.bin").write_bytes(pickle.dumps({name: value.tolist() for name, value in weights.items()}))


def missing_tokenizer(model: Path) -> None:
    (model / "tokenizer.json").unlink()


def no_bytes(model: Path) -> None:
    (model / WEIGHTS).write_bytes(b"")


def sparse(model: Path) -> None:
    os.truncate(model / WEIGHTS, SPARSE)


def symlink(model: Path) -> None:
    outside = model.parent / f"{model.name}-config.json"
    (model / "config.json").rename(outside)
    (model / "config.json").symlink_to(outside)


def linked_folder(model: Path) -> None:
    (model / "more").symlink_to("/etc")


def upwards(model: Path) -> None:
    content = json.loads((model / "manifest.json").read_text())
    content["files"]["../../rankloop.db"] = {"sha256": "0" * 64, "size": 1}
    (model / "manifest.json").write_text(json.dumps(content))


def code_beside(model: Path) -> None:
    (model / "modeling_evil.py").write_text("raise SystemExit('it ran')\n")


PLAIN: dict[str, tuple[Damage, str]] = {
    "truncated weights": (truncated, r"truncated|cannot be loaded|bytes instead of"),
    "weights that are no number": (
        _resaved(lambda weights: weights["classifier.weight"].view(-1)[3].fill_(float("nan"))),
        "not finite",
    ),
    "no head": (_resaved(lambda weights: weights.pop("classifier.weight")), "missing weights"),
    "another head": (
        _resaved(lambda weights: weights.update({"classifier.weight": torch.ones(1, 31)})),
        "mismatched|cannot be loaded",
    ),
    "a head of two labels": (
        _edited("config.json", lambda config: config.update(num_labels=2, id2label={"0": "a", "1": "b"})),
        "one label|cannot be loaded|mismatched",
    ),
    "a larger vocabulary": (_edited("tokenizer.json", _larger_vocabulary), "wrong vocabulary"),
    "another vocabulary": (_edited("tokenizer.json", _swapped_words), "probe 1 scores"),
    "no tokenizer": (missing_tokenizer, "tokenizer.json"),
    "a pickle only": (pickle_only, "safetensors|of this kind"),
    "remote code": (_edited("config.json", lambda config: config.update(auto_map={"AutoModel": "x.Y"})), "remote code"),
    "code beside it": (code_beside, "refused"),
    "no bytes": (no_bytes, "empty file"),
}
"""What can be packed into an archive whose manifest is right, and must be refused all the same."""

LINKS: dict[str, tuple[Damage, str]] = {
    "a symbolic link": (symlink, "symbolic link|not a plain file"),
    "a linked folder": (linked_folder, "symbolic link|not a plain file"),
    "a path upwards": (upwards, "outside the directory"),
    "a sparse file of 10 GB": (sparse, "bytes instead of"),
}


def rehash(model: Path) -> None:
    """Make the manifest agree with the files, as whoever forges a version would."""
    path = model / "manifest.json"
    content = json.loads(path.read_text())
    content["files"] = {
        file.relative_to(model).as_posix(): {
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "size": file.stat().st_size,
        }
        for file in sorted(model.rglob("*"))
        if file.is_file() and file != path
    }
    path.write_text(json.dumps(content))
