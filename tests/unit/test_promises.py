"""docs/promises.md: the promises word for word, and a test that exists behind each."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISES = (
    "an acknowledged rating survives kill -9 and power loss",
    "a failed reload leaves the old model serving",
    "a successful one loses no request",
    "a request finishes on the version it began with",
    "a scheduled job runs exactly once a day",
    "a killed job is finished or ends as failed, visibly",
)


def sections() -> dict[str, list[str]]:
    """Promise, in lower case → the tests that its section names."""
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    parts = re.split(r"^\*\*(.+?)\.\*\*", page, flags=re.MULTILINE)
    return {
        promise.lower(): re.findall(r"^- `(\S+::\S+)`$", text, flags=re.MULTILINE)
        for promise, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_every_promise_is_there_word_for_word() -> None:
    assert tuple(sections()) == PROMISES


@pytest.mark.parametrize("promise", PROMISES)
def test_the_tests_behind_a_promise_exist(promise: str) -> None:
    named = sections()[promise]
    assert named
    for one in named:
        file, _, name = one.partition("::")
        functions = {
            node.name for node in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(node, ast.FunctionDef)
        }
        assert name in functions, one
