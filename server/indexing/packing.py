"""Packs sections of lines into few pieces of even size, cut where a reader would cut. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf

from server.indexing.lines import Lines

_STRETCH = 1.1
"""Times the capacity that a piece may have where one piece more would be needed otherwise."""

_SHRED = 4.0
_OVERFULL = 20.0
_PIECE = 0.01
"""Costs of a piece: beside how far it is from an even share, squared."""

_OPENING = 2.0
_ORPHAN = 2.0
_OPENED = 0.5
_LEVEL = 0.15
_NO_PARAGRAPH = 0.2
"""Costs of a cut: in a definition's opening, between a comment and what it is about, after a line that opens
something, per level of indentation, without a blank line before it."""

_CLOSERS = (
    *(")", "]", "}", "</", "|--", '"""'),
    *("else", "elif", "except", "finally", "catch", "case", "end", "rescue", "ensure"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Estimated tokens: ``capacity`` of a piece, ``whole`` up to which nothing is cut."""

    capacity: float
    whole: float

    @property
    def least(self) -> float:
        """A piece below this is a shred."""
        return self.capacity / 3


def pack(
    lines: Lines, start: int, end: int, cuts: Iterable[int], limits: Limits, *, opening: int = -1, lead: str = "//"
) -> list[tuple[int, int]]:
    """Ranges that cover ``start`` to ``end``, each beginning at ``start`` or at one of the lines ``cuts``.

    Up to line ``opening`` a cut separates a definition's signature or docstring from its first statement. ``lead`` is
    what a comment begins with. A piece above ``limits.whole`` remains only where there is no cut in it.
    """
    size = lines.size(start, end)
    even = size / ceil(size / (_STRETCH * limits.capacity)) if size else limits.capacity
    starts = sorted({start, *(cut for cut in cuts if start < cut <= end and not lines.blank(cut))})
    costs = _costs(lines, starts, opening, lead)
    stops = [*starts[1:], end + 1]
    best, origin = [0.0], [0]
    for last, stop in enumerate(stops):
        cheapest, chosen = inf, last
        for first in range(last, -1, -1):
            filled = lines.size(starts[first], stop - 1)
            if filled > limits.whole and first < last:
                break
            cost = best[first] + costs[first] + _cost(filled, even, limits)
            if cost < cheapest:
                cheapest, chosen = cost, first
        best.append(cheapest)
        origin.append(chosen)
    borders = [len(stops)]
    while borders[-1]:
        borders.append(origin[borders[-1]])
    bounds = [starts[i] if i < len(starts) else end + 1 for i in reversed(borders)]
    return [(low, high - 1) for low, high in pairwise(bounds)]


def _cost(filled: float, even: float, limits: Limits) -> float:
    over = max(0.0, filled / limits.capacity - _STRETCH)
    wrong = _OVERFULL if filled > limits.whole else _SHRED if filled < limits.least else 0.0
    return _PIECE + (filled / even - 1) ** 2 + over + wrong


def _costs(lines: Lines, starts: Sequence[int], opening: int, lead: str) -> list[float]:
    """What it costs to begin a piece at each of the lines; nothing for the first, where one must."""
    indents = [_indent(lines.lines[line]) for line in starts]
    levels = sorted(set(indents))
    found = [0.0]
    for line, indent in zip(starts[1:], indents[1:], strict=True):
        cost = _LEVEL * bisect_left(levels, indent)
        paragraph = lines.blank(line - 1)
        before = _before(lines, line)
        if line <= opening:
            cost += _OPENING
        if lines.lines[line].lstrip().startswith(_CLOSERS):
            cost += _ORPHAN
        if before.startswith((lead, "@")) and (not paragraph or lead == "#"):
            cost += _ORPHAN
        if before.endswith((":", "{", "(", "[")):
            cost += _OPENED
        found.append(cost if paragraph else cost + _NO_PARAGRAPH)
    return found


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def _before(lines: Lines, line: int) -> str:
    """The line above, or the one above a single blank line."""
    above = lines.lines[line - 1].strip()
    return above or (lines.lines[line - 2].strip() if line > 1 else "")


def refined(lines: Lines, start: int, end: int, cuts: Sequence[int], most: float) -> list[int]:
    """The cuts, and every line of the sections between them that are bigger than ``most``."""
    found = set(cuts)
    for low, high in pairwise(sorted({start, *cuts, end + 1})):
        if high - 1 > low and lines.size(low, high - 1) > most:
            found.update(range(low, high))
    return sorted(found)
