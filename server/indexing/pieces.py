"""Cuts a range of lines that is too big for one chunk with semantic-text-splitter, at whole lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from semantic_text_splitter import CodeSplitter, MarkdownSplitter

from server.indexing.languages import MARKDOWN, PHP, PHP_INSIDE, Language, pointer
from server.indexing.lines import Lines
from server.indexing.packing import Limits, pack, refined

_SECTION = 8
"""Sections that the splitter makes of a piece's worth of lines: what is packed."""
_DEEPEST = 200
"""Brackets within brackets up to which the splitter is used: its time grows with the square (20 s at 3,000)."""
_BRACKET = re.compile(r"[()\[\]{}]")
_HASH_COMMENTS = ("python", "ruby", "bash", "yaml", "markdown", "make", "toml", "dockerfile")


def split(
    lines: Lines, start: int, end: int, language: Language, limits: Limits, opening: int = -1
) -> list[tuple[int, int]]:
    """Ranges that cover ``start`` to ``end``: one where that fits, else few of even size.

    ``opening`` is the line of a definition's first statement, from which its signature and docstring are not cut.
    """
    if lines.size(start, end) <= limits.whole or start == end:
        return [(start, end)]
    cuts = _sections(lines, start, end, language, limits.capacity / _SECTION)
    cuts = refined(lines, start, end, cuts, limits.least)
    lead = "#" if language.name in _HASH_COMMENTS else "//"
    return pack(lines, start, end, cuts, limits, opening=opening, lead=lead)


def _sections(lines: Lines, start: int, end: int, language: Language, most: float) -> list[int]:
    """Lines at which the splitter's sections of at most ``most`` estimated tokens begin; all lines without it."""
    block = lines.lines[start : end + 1]
    if not language.parses or _nesting(block) > _DEEPEST:
        return list(range(start, end + 1))
    text = "\n".join(_dedented(block))
    offsets = _offsets(text, language, max(1, round(most * len(text) / lines.size(start, end))))
    return [start + line for line in _line_starts(text, offsets)]


def _nesting(block: Sequence[str]) -> int:
    """How deep brackets are nested, roughly: those in strings and comments count too."""
    depth = deepest = 0
    for line in block:
        for bracket in _BRACKET.findall(line):
            depth = depth + 1 if bracket in "([{" else max(0, depth - 1)
            deepest = max(deepest, depth)
    return deepest


def _dedented(block: Sequence[str]) -> list[str]:
    """Without the first line's indentation, where the others have it too: a method parses as a function would."""
    indent = block[0][: len(block[0]) - len(block[0].lstrip(" \t"))]
    return [line.removeprefix(indent) if indent else line for line in block]


def _offsets(text: str, language: Language, characters: int) -> list[int]:
    if language == MARKDOWN:
        return [offset for offset, _ in MarkdownSplitter(characters, trim=False).chunk_indices(text)]
    if language == PHP and not text.lstrip().startswith("<?"):
        language = PHP_INSIDE
    return [offset for offset, _ in CodeSplitter(pointer(language), characters, trim=False).chunk_indices(text)]


def _line_starts(text: str, offsets: list[int]) -> list[int]:
    """Lines at which the splitter's pieces begin: a piece that begins within a line begins with the next one."""
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    found = {0}
    for offset in offsets:
        line = bisect_right(starts, offset) - 1
        if text[starts[line] : offset].strip():
            line += 1
        if line < len(starts) - 1:
            found.add(line)
    return sorted(found)
