"""Make sure that the browser tests have a browser: one already there, else apt, else Playwright's download.

``make test`` runs this first; it fails with the command to run where none of the three works.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from chromium import present  # type: ignore[import-not-found, unused-ignore]  # run as a script, from its own folder

ADVICE = (
    "The browser tests need a Chromium, and none could be installed. Run one of these, then make test again:\n"
    "  sudo apt-get install chromium\n"
    "  .venv/bin/python -m playwright install --with-deps chromium"
)


def attempt(command: Sequence[str]) -> bool:
    print("+", *command, flush=True)
    return subprocess.run(command, check=False).returncode == 0


def from_apt() -> bool:
    """Only as root: nobody is asked for a password in the middle of the tests."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    return attempt(["apt-get", "update", "-q"]) and attempt(["apt-get", "install", "-q", "-y", "chromium"])


def main() -> int:
    if present() or (from_apt() and present()):
        return 0
    if attempt([sys.executable, "-m", "playwright", "install", "chromium"]) and present():
        return 0
    print(ADVICE, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
