"""Cuts a range of lines that is too big for one chunk with semantic-text-splitter, at whole lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import ceil

from semantic_text_splitter import CodeSplitter, MarkdownSplitter

from server.indexing.languages import MARKDOWN, PHP, PHP_INSIDE, Language, pointer
from server.indexing.windows import Lines, windows

_SLACK = 1.15  # room above an even share, so that the splitter can cut at a better place
_DEEPEST = 200
"""Brackets within brackets up to which the splitter is used: its time grows with the square (20 s at 3,000)."""
_BRACKET = re.compile(r"[()\[\]{}]")
_TOO_BIG = 1.5  # times the capacity: lines dense in tokens defeat a limit given in characters


def split(lines: Lines, start: int, end: int, language: Language, capacity: float) -> list[tuple[int, int]]:
    """Ranges that cover ``start`` to ``end``, of about ``capacity`` estimated tokens, evenly filled."""
    size = lines.size(start, end)
    if size <= capacity or start == end:
        return [(start, end)]
    if not language.parses or _nesting(lines.lines[start : end + 1]) > _DEEPEST:
        return windows(lines, start, end, capacity)
    text = "\n".join(_dedented(lines.lines[start : end + 1]))
    target = min(capacity, _SLACK * size / ceil(size / capacity))
    offsets = _offsets(text, language, max(1, round(target * len(text) / size)))
    found = []
    for first, stop in pairwise([*_line_starts(text, offsets), end - start + 1]):
        low, high = start + first, start + stop - 1
        if lines.size(low, high) > _TOO_BIG * capacity:
            found += windows(lines, low, high, capacity)
        else:
            found.append((low, high))
    return found


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
