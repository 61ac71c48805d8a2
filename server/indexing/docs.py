"""First sentences of docstrings and doc comments, with the definition that each documents."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tree_sitter import Node

from server.indexing.languages import Language
from server.indexing.outline import definitions, root

_WORDS = (4, 30)
_DEEPEST = 3
_MARKER = re.compile(r"^\s*(?:/\*\*?|\*/|\*|//[/!]?|#+!?|--)\s?|\s*\*/\s*$")
_SENTENCE = re.compile(r"(?<=[\w)`'\"])[.?!](?:\s|$)")
_NOT_PROSE = re.compile(
    r"copyright|licen[cs]e|todo|fixme|eslint|noqa|pylint|type:|@|<[a-z]|https?://|[{}=;]", re.IGNORECASE
)
_TAG = re.compile(r"</?[a-zA-Z]\w*[^>]*>|\{@\w+\s+([^}]*)\}")


def documented(text: str, language: Language) -> list[tuple[str, int]]:
    """(first sentence, line of the definition from 1) of each definition that says in words what it is for."""
    if not language.parses or language.prose:
        return []
    tree = root(language, text.encode())
    lines = text.split("\n")
    return [] if tree is None else list(_below((tree,), lines, language, 0))


def _below(parents: tuple[Node, ...], lines: list[str], language: Language, level: int) -> Iterator[tuple[str, int]]:
    for definition in definitions(parents, language, level):
        if not definition.nodes:
            continue
        node = definition.nodes[0]
        line = node.start_point[0]
        said = _docstring(node) if language.name == "python" else "\n".join(lines[definition.start : line])
        sentence = first_sentence(said)
        if sentence is not None:
            yield sentence, line + 1
        if level < _DEEPEST:
            yield from _below(definition.nodes, lines, language, level + 1)


def first_sentence(said: str) -> str | None:
    """The sentence that a doc comment opens with; None when it is none of 4 to 30 words."""
    paragraph: list[str] = []
    for line in said.split("\n"):
        bare = _MARKER.sub("", line).strip()
        if (not bare and paragraph) or bare.startswith(("@", ":param", "#[", "[")):
            break
        if bare:
            paragraph.append(bare)
    joined = " ".join(_TAG.sub(r"\1", " ".join(paragraph)).split())
    sentence = _SENTENCE.split(joined, maxsplit=1)[0].strip(" .:")
    words = re.findall(r"[A-Za-z]{2,}", sentence)
    if not _WORDS[0] <= len(words) <= _WORDS[1] or _NOT_PROSE.search(sentence):
        return None
    return sentence


def _docstring(node: Node) -> str:
    body = node.child_by_field_name("body")
    first = body.named_children[0] if body is not None and body.named_children else None
    if first is not None and first.type == "expression_statement" and first.named_children:
        first = first.named_children[0]
    if first is None or first.type != "string" or first.text is None:
        return ""
    try:
        value = ast.literal_eval(first.text.decode())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""
