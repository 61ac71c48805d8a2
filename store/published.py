"""Where a version's files are, and whether they are the published ones. Nothing is loaded: torch takes seconds."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from store import manifest
from store.errors import ModelRefused
from store.types import Version

DIGEST_CHARACTERS = 12
"""Characters of the manifest's digest at the end of a version directory's name."""


def directory_of(version: Version, models_dir: Path) -> Path:
    """Where the version's files are. Raises ModelRefused for a row without a directory name of its own."""
    if version.path is None or Path(version.path).name != version.path or version.path in (".", ".."):
        raise ModelRefused(f"version {version.id} has no directory below the models directory: {version.path!r}")
    return models_dir / version.path


def check_files(version: Version, models_dir: Path, *, spare: Collection[str] = ()) -> manifest.Manifest:
    """Check that the version's directory is the one that was published. Raises ModelRefused, saying why it isn't.

    ``spare``: files whose damage is not looked at here.
    """
    directory = directory_of(version, models_dir)
    found = manifest.verify(directory, spare=spare)
    if not directory.name.endswith(found.digest[:DIGEST_CHARACTERS]):
        raise ModelRefused("manifest.json has changed since the version was published")
    return found
