"""The manifest of a version directory: sha256 and size of each file, the engines that may serve it, and its probes.

A directory whose files are exactly those of its manifest is the one that was evaluated and gated.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from store import plain
from store.errors import ModelRefused
from store.json_files import read_json
from store.types import Json

NAME = "manifest.json"
FORMAT = 1
PROBE_TOLERANCE = 1e-3
"""Allowed difference of a probe's logit between machines (float32 sums in another order), times max(1, |logit|)."""
_CHUNK = 1 << 20

PROBE_TEXTS: tuple[tuple[str, str], ...] = (
    ("how to read a json file", "def load(path):\n    with open(path) as file:\n        return json.load(file)"),
    ("where is the user logged in", "class Session:\n    def login(self, user: str, token: str) -> bool: ..."),
    ("sort a list", "SELECT name, score FROM rank ORDER BY score DESC"),
    ("größte Zahl 最大 λ", "fn largest(values: &[i64]) -> Option<i64> { values.iter().copied().max() }"),
    ("delete a row from the table", "table.delete(row)\n" * 200),
    ("update the cached index " * 60, "cache.update(index)"),
)
"""Default probes: short, foreign, and cut on either side."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A pair with the logit that the trained model gave it in memory."""

    query: str
    passage: str
    score: float


@dataclass(frozen=True, slots=True)
class Engine:
    """A way to run the weights: its largest measured difference from torch-fp32 in logits, and its own probe scores."""

    name: str
    difference: float
    tolerance: float
    scores: tuple[float, ...]
    measured: Json = field(default_factory=dict)
    """On what the difference was measured, and what it does to the order; empty for torch-fp32 itself."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    files: Mapping[str, FileEntry]
    max_length: int
    probes: tuple[Probe, ...]
    engines: tuple[Engine, ...]
    digest: str
    """sha256 of manifest.json itself: names the directory, so that the registry's row vouches for every byte."""


def torch_engine(probes: Sequence[Probe]) -> Engine:
    """The engine that every version has."""
    return Engine("torch-fp32", 0.0, PROBE_TOLERANCE, tuple(probe.score for probe in probes))


def write(directory: Path, *, max_length: int, probes: Sequence[Probe], engines: Sequence[Engine] = ()) -> Manifest:
    """Hash every file and write manifest.json. Raises ModelRefused for a directory that is not plain."""
    path = directory / NAME
    path.unlink(missing_ok=True)
    sizes = plain.check(directory)
    content = {
        "format": FORMAT,
        "max_length": max_length,
        "files": {name: {"sha256": _sha256(directory / name), "size": sizes[name]} for name in sorted(sizes)},
        "engines": [asdict(engine) for engine in engines or (torch_engine(probes),)],
        "probes": [asdict(probe) for probe in probes],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return read(directory)


def read(directory: Path) -> Manifest:
    """Parse manifest.json. Raises ModelRefused."""
    content = read_json(directory / NAME)
    try:
        if content["format"] != FORMAT:
            raise ModelRefused(f"manifest format {content['format']} is unknown to this release")
        manifest = Manifest(
            files={_safe(name): _entry(entry) for name, entry in content["files"].items()},
            max_length=int(content["max_length"]),
            probes=tuple(Probe(str(p["query"]), str(p["passage"]), float(p["score"])) for p in content["probes"]),
            engines=tuple(_engine(engine) for engine in content["engines"]),
            digest=_sha256(directory / NAME),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelRefused("manifest.json does not have the form of a manifest") from error
    if not manifest.probes or not manifest.engines:
        raise ModelRefused("manifest.json names no probes or no engines")
    return manifest


def verify(directory: Path, *, spare: Collection[str] = ()) -> Manifest:
    """Check that the directory holds exactly what its manifest says. Raises ModelRefused with the reason.

    Files named in ``spare`` may be missing or damaged: ``verify_files`` looks at them before anything uses them.
    Cheap checks come first: kinds, names and sizes of all files before a byte is hashed.
    """
    sizes = plain.files(directory)
    if NAME not in sizes:
        raise ModelRefused(f"missing file: {NAME}")
    manifest = read(directory)
    extra = sorted(sizes.keys() - {NAME} - manifest.files.keys())
    if extra:
        raise ModelRefused(f"file that is not in the manifest: {', '.join(extra[:5])}")
    verify_files(directory, manifest, [name for name in manifest.files if name not in spare])
    plain.check(directory)
    return manifest


def verify_files(directory: Path, manifest: Manifest, names: Collection[str]) -> None:
    """Check that these files are those of the manifest. Raises ModelRefused with the reason."""
    missing = sorted(name for name in names if name not in manifest.files or not (directory / name).is_file())
    if missing:
        raise ModelRefused(f"missing file: {', '.join(missing[:5])}")
    for name in names:
        size, entry = (directory / name).stat().st_size, manifest.files[name]
        if size != entry.size:
            raise ModelRefused(f"{name} has {size} bytes instead of {entry.size}: truncated or changed")
    for name in names:
        if _sha256(directory / name) != manifest.files[name].sha256:
            raise ModelRefused(f"{name} has changed since it was published (sha256 differs)")


def check_scores(expected: Sequence[float], got: Sequence[float], tolerance: float, what: str) -> None:
    """Raises ModelRefused where a score is further off than ``tolerance`` × max(1, |expected|)."""
    for number, (want, have) in enumerate(zip(expected, got, strict=True), start=1):
        if not abs(want - have) <= tolerance * max(1.0, abs(want)):  # NaN fails too
            raise ModelRefused(f"{what}: probe {number} scores {have:.6f} instead of {want:.6f}")


def fsync_tree(directory: Path) -> None:
    """Force every file and folder below ``directory``, and itself, to the disk."""
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            fsync(Path(folder) / name)
        fsync(Path(folder))


def fsync(path: Path) -> None:
    """Force one file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_lineage(directory: Path, content: Json) -> None:
    """Write rankloop.json. Raises ModelRefused for what JSON can't hold."""
    try:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ModelRefused(f"the lineage cannot be written as JSON: {error}") from error
    path = directory / "rankloop.json"
    path.unlink(missing_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def lineage(directory: Path) -> Json:
    """The contents of rankloop.json: how the version came about. Raises ModelRefused."""
    content = read_json(directory / "rankloop.json")
    if not isinstance(content, dict):
        raise ModelRefused("rankloop.json is not an object")
    return content


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or str(path) != name:
        raise ModelRefused(f"manifest.json names a path outside the directory: {name!r}")
    return name


def _entry(entry: Any) -> FileEntry:
    return FileEntry(str(entry["sha256"]), int(entry["size"]))


def _engine(engine: Any) -> Engine:
    return Engine(
        str(engine["name"]),
        float(engine["difference"]),
        float(engine["tolerance"]),
        tuple(float(score) for score in engine["scores"]),
        dict(engine.get("measured", {})),
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
