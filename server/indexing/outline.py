"""Definitions of a source file from its syntax tree: what a chunk may be cut at and named after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from server.indexing import bodies, naming
from server.indexing.languages import Language, parse

_DEEPEST = 200  # levels of syntax; beyond it a file is data, not code


@dataclass(frozen=True, slots=True)
class Definition:
    """A named piece of a file. Lines count from 0 and include leading comments and decorators."""

    name: str
    start: int
    end: int
    nodes: tuple[Node, ...]
    """Where its own definitions are found; empty when it shares a line with a neighbour."""
    container: bool = False
    """A namespace or module: it holds definitions and says little itself."""
    function: bool = False
    variable: bool = False
    """Or a call with a name, such as ``describe("…", …)``."""
    opening: int = -1
    """A function's first line after signature and docstring; -1 where it is not known."""


def root(language: Language, source: bytes) -> Node | None:
    """The syntax tree's root, or None where the parser could make nothing of the file."""
    node = parse(language, source).root_node
    return None if node.type == "ERROR" else node


def last_line(node: Node) -> int:
    """The last line (from 0) that holds text of ``node``: some nodes end at the start of the line after."""
    row, column = node.end_point
    return row - 1 if column == 0 and row > node.start_point[0] else row


def definitions(parents: tuple[Node, ...], language: Language, level: int) -> list[Definition]:
    """The outermost definitions below ``parents``, in order, none sharing a line with another."""
    found: list[Definition] = []
    for parent in parents:
        for definition in _below(parent, language, level):
            if found and definition.start <= found[-1].end:
                before = found[-1]
                found[-1] = Definition(before.name, before.start, max(before.end, definition.end), ())
            else:
                found.append(definition)
    return found


def _below(top: Node, language: Language, level: int) -> Iterator[Definition]:
    stack: list[Iterator[Definition | Node]] = [_children(top, language, level)]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
        elif isinstance(item, Definition):
            yield item
        elif len(stack) < _DEEPEST:
            stack.append(_children(item, language, level))


def _children(parent: Node, language: Language, level: int) -> Iterator[Definition | Node]:
    """Each child that is a definition, with the comments above it; others that may hold some, as nodes."""
    lead: tuple[int, int] | None = None  # lines of the comments that wait for their definition
    code_until = -1
    for child in parent.children:
        first, last = child.start_point[0], last_line(child)
        if naming.leads(child):
            if first > code_until:
                lead = (lead[0], last) if lead and lead[1] >= first - 1 else (first, last)
            continue
        named = naming.name(child, language, level)
        if named is not None:
            start = lead[0] if lead and lead[1] >= first - 1 else first
            yield _definition(named, start, bodies.explained_until(child, last))
        elif last > first:
            yield child
        if child.is_named or last > first:
            lead = None
        code_until = last


def _definition(named: naming.Named, start: int, end: int) -> Definition:
    node = named.node
    function = bodies.runs(node)
    return Definition(
        named.text,
        start,
        end,
        (node,),
        container=naming.contains(node),
        function=function,
        variable=bodies.varies(node),
        opening=bodies.opening(node) if function else -1,
    )
