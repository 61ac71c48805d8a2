"""The house rules that a reader relies on: who imports whom, which library lives where, how big things may get."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rankloop", "store", "server", "trainer")
LONGEST_MODULE, LONGEST_FUNCTION = 300, 50

FORBIDDEN = {
    "store": {"server", "trainer", "rankloop", "bench"},
    "server": {"trainer", "rankloop", "bench"},
    "trainer": {"server", "rankloop", "bench"},
    "rankloop": {"bench"},
}

MODELS = (
    "store/encoder.py",
    "store/joined.py",
    "store/sentences.py",
    "store/scorer.py",
    "store/loading.py",
    "store/verify.py",
    "trainer/",
)
ONLY_HERE: dict[str, tuple[str, ...]] = {
    "fastapi": ("server/app.py", "server/deps.py", "server/routes/"),
    "starlette": ("server/app.py", "server/deps.py", "server/routes/"),
    "sqlalchemy": ("store/", "alembic/"),
    "qdrant_client": ("store/qdrant.py",),
    "apscheduler": ("trainer/schedule.py",),
    "torch": (*MODELS, "store/weights.py", "store/engines/convert.py", "store/engines/gpu.py"),
    "sentence_transformers": MODELS,
    "authlib": ("server/oidc.py",),
    "joserfc": ("server/oidc.py",),
    "httpx2": ("server/oidc.py",),
    "openvino": ("store/engines/openvino.py", "store/engines/convert.py"),
}


def sources() -> list[Path]:
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", sources(), ids=relative)
def test_a_module_keeps_the_house_rules(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    name, package = relative(file), file.relative_to(ROOT).parts[0]
    roots = {module.split(".")[0] for module in imported(tree)}

    assert not roots & FORBIDDEN[package], f"{name} imports {roots & FORBIDDEN[package]}"
    for library, places in ONLY_HERE.items():
        if library in roots:
            assert name.startswith(places), f"{name} imports {library}, which belongs to {places}"
    assert source.count("\n") <= LONGEST_MODULE, f"{name} is longer than {LONGEST_MODULE} lines"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{name}: {node.name} has {length} lines"
    if name != "store/settings.py":
        assert "os.environ" not in source, f"{name} reads the environment"
        assert "os.getenv" not in source, f"{name} reads the environment"


def test_the_wheel_lists_every_package() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    there = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for package in PACKAGES
        for init in (ROOT / package).rglob("__init__.py")
    }
    assert there | {"rankloop.alembic", "rankloop.alembic.versions"} == listed


def test_the_migrations_do_not_shadow_alembic_itself() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
