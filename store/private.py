"""Folders of this installation, which nobody else on the machine needs to read: code, questions, ratings, tokens."""

from __future__ import annotations

from pathlib import Path


def make_private(folder: Path) -> None:
    """Create a folder that only its owner may enter. One that is there already stays as somebody made it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
