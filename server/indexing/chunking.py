"""Cuts a file into chunks: whole definitions where they fit, pieces of big ones, small neighbours together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from tree_sitter import Node

from server.indexing.languages import Language, detect
from server.indexing.outline import Definition, definitions, root
from server.indexing.pieces import split
from server.indexing.windows import Lines
from store.types import ChunkDraft

VERSION = 1
"""Grows when the same text would be cut otherwise: files are then cut again though they have not changed."""

CAPACITY = 240.0
"""Estimated tokens of a chunk: with a short query it fills the 256 that encoder and reranker read."""
WHOLE = 300.0
"""A definition up to this stays in one piece: its cut-off tail harms less than two halves."""
SMALL = 40.0
"""Code smaller than this joins its neighbours."""
SMALL_PROSE = 120.0
TINY = 24.0
"""A closing brace, a lone constant: joins a neighbour even across a definition's border."""

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
            symbol=_symbol(unit),
            language=self.language.name,
            text=text,
            content_hash=sha256(text.encode()).hexdigest(),
        )

    def _cut(
        self, start: int, end: int, nodes: tuple[Node, ...], parent: str, level: int, *, named: bool = True
    ) -> list[Unit]:
        """Units of a range: its definitions and what stands between them. ``named``: the first lines bear its name."""
        units: list[Unit] = []
        cursor = start
        for definition in definitions(nodes, self.language, level):
            first, last = max(definition.start, cursor), min(definition.end, end)
            if first > last:
                continue
            units += self._plain(cursor, first - 1, parent, head=named and cursor == start)
            symbol = f"{parent}{self.language.separator}{definition.name}" if parent else definition.name
            units += self._define(replace(definition, start=first, end=last), symbol, parent, level + 1)
            cursor = last + 1
        units += self._plain(cursor, end, parent, head=named and cursor == start)
        return self._merge(units, self.small)

    def _define(self, definition: Definition, symbol: str, parent: str, level: int) -> list[Unit]:
        start, end = definition.start, definition.end
        size = self.lines.size(start, end)
        if size <= (SMALL if definition.container else WHOLE):
            trimmed = self.lines.trim(start, end)
            return [Unit(*trimmed, (symbol,), parent, size)] if trimmed else []
        if level > _DEEPEST or not definition.nodes:
            inside = self._plain(start, end, symbol, head=True)
        else:
            named = not (definition.container or self.language.prose)
            inside = self._cut(start, end, definition.nodes, symbol, level, named=named)
        return [replace(unit, border=True) for unit in inside]

    def _plain(self, start: int, end: int, parent: str, *, head: bool) -> list[Unit]:
        """Lines without a definition of their own. The first ones of a definition (``head``) bear its name."""
        trimmed = self.lines.trim(start, end)
        if trimmed is None:
            return []
        units = []
        for low, high in split(self.lines, *trimmed, self.language, CAPACITY):
            inner = self.lines.trim(low, high)
            if inner is not None:
                symbols = (parent,) if parent and head else ()
                units.append(Unit(*inner, symbols, parent, self.lines.size(*inner)))
        return units

    def _merge(self, units: Iterable[Unit], small: float, *, across: bool = False) -> list[Unit]:
        """Join neighbours while one of them is small and both fit; borders hold unless ``across``."""
        merged: list[Unit] = []
        for unit in units:
            if merged and self._joins(merged[-1], unit, small, across):
                merged[-1] = self._joined(merged[-1], unit)
            else:
                merged.append(unit)
        return merged

    def _joins(self, left: Unit, right: Unit, small: float, across: bool) -> bool:
        if (left.border or right.border) and not across and left.parent != right.parent:
            return False
        least = min(left.size, right.size)
        limit = WHOLE if least < TINY else CAPACITY
        return least < small and left.size + right.size <= limit

    def _joined(self, left: Unit, right: Unit) -> Unit:
        symbols = tuple(dict.fromkeys(left.symbols + right.symbols))
        parent = left.parent if left.parent == right.parent else ""
        return Unit(left.start, right.end, symbols, parent, left.size + right.size, left.border or right.border)


def _symbol(unit: Unit) -> str:
    """The definition that a chunk is, or the ones it holds, or the one around it."""
    outer = [
        symbol
        for symbol in unit.symbols
        if not any(symbol != other and symbol.startswith(other) for other in unit.symbols)
    ]
    if len(outer) > _NAMES_SHOWN:
        return ", ".join(outer[:_NAMES_SHOWN]) + ", …"
    return ", ".join(outer) or unit.parent
