"""What to quote of a chunk: a whole sentence of its docstring or comment, or a whole line of its code. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.answering.lines import SIGNATURE, Match, prose_lines, terms

LONGEST = 320
"""Characters of a quotation: what is longer is not quoted, for it would have to be cut."""
_TELLING = 4
"""Words of a sentence that says something."""
_MARKS = re.compile(
    r"""^(?:[rRuUbB]?(?:\"{3}|'{3})|\*+/|\#+[:!]?|/{2,}[/!]?|/?\*+(?!\w)|--|<!--|;+)\s*|\s*(?:\"{3}|'{3}|\*+/|-->)\s*$"""
)
_PARAGRAPH = re.compile(r"^(?:[:@]\w|[-*+] |\d+[.)] |\.\. |>>> |[-=~^*_]{3,}$|\w+:$)")
"""A line that begins something new: a field, an item, a directive, an underline."""
_RULE = re.compile(r"[-=~^*_]{3,}")
_QUOTES = ('"""', "'''")
_OPENING = re.compile(r"""^\s*[rRuUbB]?(\"{3}|'{3})""")
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[`]*[A-Z0-9])")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|cf|vs|resp|Sec|Fig|No)\.$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quote:
    """``text`` stands whole on the lines ``first`` to ``last``, counted from 0 within the chunk."""

    text: str
    first: int
    last: int
    prose: bool


def quote(text: str, matches: Sequence[Match], query: str) -> Quote | None:
    """The first of the matching lines (best first) that can be quoted whole, with its sentence where it is prose.

    A signature repeats what the answer names already: the chunk's first sentence stands for it.
    """
    if _is_cut(text) and not _begins_with_code(text):
        return None
    wanted = terms(query)
    sentences = [one for block in _blocks(text) for one in _sentences(block)]
    naming: Quote | None = None
    for match in matches:
        if not any(character.isalpha() for character in match.text):
            continue
        if SIGNATURE.match(match.text) and not match.prose:
            naming = naming or Quote(match.text, match.number, match.number, False)
            continue
        if not match.prose:
            if len(match.text) <= LONGEST:
                return Quote(match.text, match.number, match.number, False)
            continue
        around = [one for one in sentences if one.first <= match.number <= one.last and len(one.text) <= LONGEST]
        telling = max(around, key=lambda one: len(wanted & terms(one.text)), default=None)
        if telling is not None and wanted & terms(telling.text):
            return telling
    return (_purpose(sentences) or naming) if naming is not None else None


def _purpose(sentences: Sequence[Quote]) -> Quote | None:
    """The first sentence of some words: it says more than the signature that it stands under."""
    first = next((one for one in sentences if len(one.text.split()) >= _TELLING), None)
    return first if first is not None and len(first.text) <= LONGEST else None


def summary(text: str) -> str:
    """A chunk's signature and the first sentence of its docstring or comments."""
    signature = next((line for line in text.splitlines() if SIGNATURE.match(line)), "")
    purpose = _purpose([one for block in _blocks(text) for one in _sentences(block)])
    return f"{signature} {purpose.text if purpose is not None else ''}"


def _blocks(text: str) -> Iterable[list[tuple[int, str]]]:
    """Paragraphs of prose as (line number, words without marks).

    Prose that the chunk's border cuts is left out, for its first or last sentence may not be whole; so are long
    strings that are data.
    """
    cut = _is_cut(text)
    if cut and not _begins_with_code(text):
        return
    numbers = prose_lines(text) - _data_lines(text)
    block: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines()):
        said = _MARKS.sub("", _MARKS.sub("", line.strip())).strip() if number in numbers else ""
        if block and (not said or _PARAGRAPH.match(said)):
            yield block
            block = []
        if said and not _RULE.fullmatch(said):
            block.append((number, said))
    if block and not cut and text.count("/*") <= text.count("*/") and text.count("<!--") <= text.count("-->"):
        yield block


def _is_cut(text: str) -> bool:
    """Whether a docstring begins or ends outside: then it is not known which lines are prose."""
    return any(text.count(mark) % 2 for mark in _QUOTES)


def _begins_with_code(text: str) -> bool:
    signature = next((number for number, line in enumerate(text.splitlines()) if SIGNATURE.match(line)), None)
    quotes = next((number for number, line in enumerate(text.splitlines()) if any(q in line for q in _QUOTES)), 0)
    return signature is not None and signature < quotes


def _data_lines(text: str) -> set[int]:
    """Lines of strings in triple quotes that have code before them: a query, a template."""
    found: set[int] = set()
    inside = data = False
    for number, line in enumerate(text.splitlines()):
        quotes = sum(line.count(mark) for mark in _QUOTES)
        if quotes and not inside:
            data = _OPENING.match(line) is None and not line.lstrip().startswith("#")
        if data and (inside or quotes):
            found.add(number)
        inside = inside ^ (quotes % 2 == 1)
    return found


def _sentences(block: list[tuple[int, str]]) -> list[Quote]:
    whole, starts = "", []
    for number, said in block:
        whole += " " if whole else ""
        starts.append((len(whole), number))
        whole += said
    found: list[Quote] = []
    begin = 0
    for end in (*(match.start() for match in _SENTENCE.finditer(whole)), len(whole)):
        piece = whole[begin:end].strip()
        if end < len(whole) and _ABBREVIATION.search(piece):
            continue
        if piece:
            lead = begin + len(whole[begin:end]) - len(whole[begin:end].lstrip())
            found.append(Quote(piece, _line(starts, lead), _line(starts, end - 1), True))
        begin = end
    return found


def _line(starts: Sequence[tuple[int, int]], position: int) -> int:
    return [number for start, number in starts if start <= position][-1]
