"""What a version's directory says about itself: its model card and manifest."""

from __future__ import annotations

import json
from pathlib import Path

from store.errors import ModelRefused
from store.published import directory_of
from store.types import Json, Version, VersionForm

MAX_BYTES = 1 << 20


def of_version(version: Version, models_dir: Path) -> tuple[str | None, Json | None]:
    """(card as Markdown, manifest); None for what is not there or can't be read."""
    if version.form is VersionForm.FIRST_STAGE:
        return None, None
    try:
        directory = directory_of(version, models_dir)
    except ModelRefused:
        return None, None
    card = _read(directory / "README.md")
    manifest = _read(directory / "manifest.json")
    try:
        parsed = None if manifest is None else json.loads(manifest)
    except ValueError:
        parsed = None
    return card, parsed if isinstance(parsed, dict) else None


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode(errors="replace")
    except OSError:
        return None
