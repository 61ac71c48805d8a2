"""What the command line says of itself, and that the README names all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from rankloop.cli import HELP, app

README = Path(__file__).parents[3] / "README.md"


def commands(command: Any, name: str = "rankloop") -> Iterator[tuple[str, Any]]:
    """Every command that is no group, by the words that call it; hidden ones are for the service itself."""
    for word, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from commands(inner, f"{name} {word}") if hasattr(inner, "commands") else [(f"{name} {word}", inner)]


ALL = dict(commands(get_command(app)))


def test_the_walk_finds_commands_of_both_levels() -> None:
    assert {"rankloop serve", "rankloop models promote", "rankloop golden remove", "rankloop repos list"} <= ALL.keys()


@pytest.mark.parametrize("name", ALL)
def test_everything_that_can_be_said_to_a_command_is_explained(name: str) -> None:
    assert ALL[name].help
    unexplained = [param.name for param in ALL[name].params if param.name != "help" and not param.help]
    assert not unexplained, f"{name} says nothing about {unexplained}"


def test_the_help_says_where_a_command_looks() -> None:
    for word in ("RANKLOOP_DATA", ".rankloop", "RANKLOOP_HOST", "RANKLOOP_PORT", "8000"):
        assert word in HELP


@pytest.mark.parametrize("name", ALL)
def test_the_readme_names_the_command(name: str) -> None:
    """As a line of the block, or in the comment beside a related one."""
    block = README.read_text(encoding="utf-8").split("from the terminal too", 1)[1].split("```")[1]
    words = re.escape(name.removeprefix("rankloop "))
    assert re.search(rf"(?:rankloop |[#;:] +){words}\b", block), f"the README's command block lacks `{name}`"
