"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """The installed version, or "dev" in a bare checkout."""
    try:
        return version("rankloop")
    except PackageNotFoundError:
        return "dev"
