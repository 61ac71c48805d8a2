"""Where the system has no Node, the one from PyPI must build the pages: its npm has to start."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_npm_of_the_packaged_node_starts_without_any_other(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("gui_node", ROOT / "gui" / "node.py")
    assert spec is not None
    assert spec.loader is not None
    node = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(node)
    for tool in ("sh", "env"):
        (tmp_path / tool).symlink_to(Path("/usr/bin") / tool)
    path = f"{node.packaged_node()}:{tmp_path}"
    shown = subprocess.run(["npm", "--version"], env={"PATH": path}, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    version = subprocess.run(["node", "--version"], env={"PATH": path}, capture_output=True, text=True, check=True)
    assert node.satisfies_vite(version.stdout)


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("v20.19.0", True),
        ("v20.18.9", False),
        ("v21.9.0", False),
        ("v22.11.0", False),
        ("v22.12.1", True),
        ("v24.0.0", True),
    ],
)
def test_vites_engines(version: str, enough: bool) -> None:
    spec = importlib.util.spec_from_file_location("gui_node", ROOT / "gui" / "node.py")
    assert spec is not None
    assert spec.loader is not None
    node = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(node)
    assert node.satisfies_vite(version) is enough
