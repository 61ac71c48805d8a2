"""What commands print on: a person's terminal, or a pipe or file, which gets whole lines without colour."""

from __future__ import annotations

import textwrap

from rich.console import Console

WIDE = 10_000
"""Columns where nobody looks: no line is wrapped and no table cut."""


def make_console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if console.is_terminal:
        return console
    return Console(stderr=stderr, highlight=False, soft_wrap=True, no_color=True, width=WIDE)


def print_line(console: Console, line: str, indent: int, style: str | None = None) -> None:
    """Print ``line`` as it is; on a terminal wrapped between words, the further lines indented. No word is ever cut."""
    if console.is_terminal:
        line = textwrap.fill(
            line,
            max(console.width, 20),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        )
    console.print(line, markup=False, soft_wrap=True, style=style)
