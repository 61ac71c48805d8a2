"""Cuts a file into chunks: whole definitions where they fit, pieces of big ones, small neighbours together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import zip_longest

from tree_sitter import Node

from server.indexing.languages import Language, detect
from server.indexing.lines import Lines
from server.indexing.outline import Definition, definitions, root
from server.indexing.packing import Limits
from server.indexing.pieces import split
from store.types import ChunkDraft

VERSION = 2
"""Grows when the same text would be cut otherwise: files are then cut again though they have not changed."""

CAPACITY = 230.0
"""Estimated tokens of a chunk: with a short question it fills the 256 that encoder and reranker read."""
WHOLE = 320.0
"""What holds together stays in one piece up to this: its cut-off tail harms less than two halves."""
WHOLE_PROSE = 250.0
"""The end of a text says as much as its beginning."""
SMALL = 64.0
"""Code smaller than this joins its neighbours."""
SMALL_PROSE = 120.0
TINY = 32.0
"""A closing brace, a lone constant: joins a neighbour even across a definition's border."""
MODULE = 8 * CAPACITY
"""A function above this is a module in disguise: functions inside it are definitions of their own."""

_NAMES_SHOWN = 3
_DEEPEST = 40  # definitions inside definitions


@dataclass(frozen=True, slots=True)
class Unit:
    """A range of lines (from 0, both ends included) on its way to a chunk."""

    start: int
    end: int
    symbols: tuple[str, ...]
    parent: str
    size: float
    border: bool = False
    """Part of a definition that was cut up: joins no sibling of that definition."""


def normalise(text: str) -> str:
    """The text as it is stored: lines end with a newline alone; what SQL or UTF-8 can not carry is replaced."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    return unix.encode("utf-8", "replace").decode("utf-8")


def chunk_file(path: str, text: str) -> list[ChunkDraft]:
    """Chunks of one file, in order. Every line that is not blank is in exactly one.

    ``text`` of a chunk is the normalised file's lines ``start_line`` to ``end_line`` (from 1, both included).
    Never raises, whatever the text.
    """
    text = normalise(text)
    language = detect(path, text)
    cutter = _Cutter(Lines(text), language)
    tree = root(language, text.encode()) if language.parses and text.strip() else None
    units = cutter.file(tree)
    return [cutter.draft(path, unit) for unit in units]


class _Cutter:
    def __init__(self, lines: Lines, language: Language) -> None:
        self.lines = lines
        self.language = language
        self.small = SMALL_PROSE if language.prose else SMALL
        self.limits = Limits(CAPACITY, WHOLE_PROSE if language.prose else WHOLE)

    def file(self, tree: Node | None) -> list[Unit]:
        last = len(self.lines) - 1
        if tree is None:
            return self._merge(self._plain(0, last, "", head=False), TINY)
        return self._merge(self._cut(0, last, (tree,), "", 0), TINY, across=True)

    def draft(self, path: str, unit: Unit) -> ChunkDraft:
        text = self.lines.text(unit.start, unit.end)
        return ChunkDraft(
            path=path,
            start_line=unit.start + 1,
            end_line=unit.end + 1,
            symbol=_symbol(unit, self.language.separator),
            language=self.language.name,
            text=text,
            content_hash=sha256(text.encode()).hexdigest(),
        )

    def _cut(
        self,
        start: int,
        end: int,
        nodes: tuple[Node, ...],
        parent: str,
        level: int,
        *,
        named: bool = True,
        local: bool = False,
    ) -> list[Unit]:
        """Units of a range: its definitions and what stands between them. ``named``: the first lines bear its name.

        ``local``: the range is a function, whose variables are not definitions.
        """
        units: list[Unit] = []
        cursor = start
        for definition in definitions(nodes, self.language, level):
            first, last = max(definition.start, cursor), min(definition.end, end)
            if first > last or (local and definition.variable):
                continue
            units += self._plain(cursor, first - 1, parent, head=named and cursor == start)
            units += self._define(replace(definition, start=first, end=last), parent, level + 1)
            cursor = last + 1
        units += self._plain(cursor, end, parent, head=named and cursor == start)
        return self._merge(units, self.small)

    def _define(self, definition: Definition, parent: str, level: int) -> list[Unit]:
        start, end = definition.start, definition.end
        symbol = self._within(parent, definition.name)
        size = self.lines.size(start, end)
        if size <= (SMALL if definition.container else self.limits.whole):
            trimmed = self.lines.trim(start, end)
            return [Unit(*trimmed, (symbol,), parent, size)] if trimmed else []
        if level > _DEEPEST or not definition.nodes:
            inside = self._plain(start, end, symbol, head=True)
        elif definition.function and size <= MODULE:
            inside = self._function(definition, symbol, level)
        else:
            named = not (definition.container or self.language.prose)
            inside = self._cut(start, end, definition.nodes, symbol, level, named=named, local=definition.function)
        return [replace(unit, border=True) for unit in inside]

    def _within(self, parent: str, name: str) -> str:
        return f"{parent}{self.language.separator}{name}" if parent else name

    def _function(self, function: Definition, symbol: str, level: int) -> list[Unit]:
        """Pieces of a function. One that lies in a function inside it bears that one's name too."""
        inner = [d for d in definitions(function.nodes, self.language, level) if not d.variable]
        units = []
        for unit in self._plain(function.start, function.end, symbol, head=True, opening=function.opening):
            name = next((d.name for d in inner if d.start <= unit.start and unit.end <= d.end), None)
            units.append(replace(unit, symbols=(self._within(symbol, name),)) if name else unit)
        return units

    def _plain(self, start: int, end: int, parent: str, *, head: bool, opening: int = -1) -> list[Unit]:
        """Lines that are cut at no definition. The first ones of a definition (``head``) bear its name."""
        trimmed = self.lines.trim(start, end)
        if trimmed is None:
            return []
        units = []
        for low, high in split(self.lines, *trimmed, self.language, self.limits, opening):
            inner = self.lines.trim(low, high)
            if inner is not None:
                symbols = (parent,) if parent and head else ()
                units.append(Unit(*inner, symbols, parent, self.lines.size(*inner)))
        return units

    def _merge(self, units: Sequence[Unit], small: float, *, across: bool = False) -> list[Unit]:
        """Join neighbours while one of them is small and both fit; borders hold unless ``across``."""
        merged: list[Unit] = []
        for unit, after in zip_longest(units, units[1:]):
            if merged and self._joins(merged[-1], unit, small, across):
                before = merged[-1]
                # One that could join either side joins the smaller.
                forward = after is not None and after.size < before.size and self._joins(unit, after, small, across)
                if before.size < small or unit.size >= small or not forward:
                    merged[-1] = self._joined(before, unit)
                    continue
            merged.append(unit)
        return merged

    def _joins(self, left: Unit, right: Unit, small: float, across: bool) -> bool:
        if (left.border or right.border) and not across and left.parent != right.parent:
            return False
        least = min(left.size, right.size)
        limit = self.limits.whole if least < TINY else CAPACITY
        return least < small and left.size + right.size <= limit

    def _joined(self, left: Unit, right: Unit) -> Unit:
        symbols = tuple(dict.fromkeys(left.symbols + right.symbols))
        parent = left.parent if left.parent == right.parent else ""
        return Unit(left.start, right.end, symbols, parent, left.size + right.size, left.border or right.border)


def _symbol(unit: Unit, separator: str) -> str:
    """The definition that a chunk is, or the ones it holds, or the one around it."""
    outer = [
        symbol for symbol in unit.symbols if not any(symbol.startswith(other + separator) for other in unit.symbols)
    ]
    if len(outer) > _NAMES_SHOWN:
        return ", ".join(outer[:_NAMES_SHOWN]) + ", …"
    return ", ".join(outer) or unit.parent
