"""Where a Chromium is: one that is installed already, else Playwright's own download."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def installed() -> Path | None:
    """The system's Chromium, or None."""
    found = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in found if path is not None), None)


def executable(playwright: Playwright) -> Path | None:
    """The browser to start: the system's, else Playwright's own where it was downloaded, else None."""
    own = Path(playwright.chromium.executable_path)
    return installed() or (own if own.is_file() else None)


def present() -> bool:
    """Whether a browser can be started without fetching anything."""
    if installed() is not None:
        return True
    with sync_playwright() as playwright:
        return executable(playwright) is not None
