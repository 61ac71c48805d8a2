"""Which lines of a chunk say why it matches a query. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.tokens import code_tokens

_STOP = frozenset(
    code_tokens("""
    a an and are as at be by can could did do does for from had has have how i if in into is it its me my of on or our
    please s should so t than that the their them then there these they this those to use used using was we were what
    when where which who why will with would you your
    """)
)
SIGNATURE = re.compile(
    r"^\s*(export |default |public |private |protected |static |final |abstract |async |pub |inline |const )*"
    r"(def|class|function|func|fn|interface|type|struct|enum|trait|impl|module|package|namespace|void|create table)\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"^\s*(#(?!include|define|if|endif|!)|//|/\*|\*|--|\"\"\"|'''|<!--|;)")
_QUOTES = ('"""', "'''")
_COMMENT_BONUS = 1.3
_SIGNATURE_BONUS = 1.2


@dataclass(frozen=True, slots=True)
class Match:
    """A line that matches. ``number`` counts from 0 within the chunk; ``score`` is comparable within one query."""

    number: int
    text: str
    score: float
    prose: bool
    """A comment or part of a docstring."""


def terms(text: str) -> set[str]:
    """The words of a text that can say something, crudely stemmed."""
    return {_stem(token) for token in code_tokens(text) if token not in _STOP and len(token) > 1}


def rarity(texts: Sequence[str]) -> dict[str, float]:
    """Term → weight in (0, 1], the higher the fewer of ``texts`` use it: ``1 / number of texts with the term``."""
    counts: dict[str, int] = {}
    for text in texts:
        for term in terms(text):
            counts[term] = counts.get(term, 0) + 1
    return {term: 1 / count for term, count in counts.items()}


def matching_lines(query: str, text: str, weights: Mapping[str, float], limit: int = 3) -> list[Match]:
    """Up to ``limit`` lines that share terms with ``query``, best first; ties keep the order of the lines.

    Comments and docstrings count a little more than signatures, and these more than other code.
    """
    wanted = terms(query)
    found: list[Match] = []
    comments = prose_lines(text)
    for number, line in enumerate(text.splitlines()):
        prose = number in comments
        shared = wanted & terms(line)
        if shared:
            bonus = _COMMENT_BONUS if prose else _SIGNATURE_BONUS if SIGNATURE.match(line) else 1.0
            score = bonus * sum(0.5 + weights.get(term, 1.0) for term in shared)
            found.append(Match(number, line.strip(), score, prose))
    return sorted(found, key=lambda match: (-match.score, match.number))[:limit]


def prose_lines(text: str) -> set[int]:
    """Numbers, from 0, of the lines that are a comment or part of a docstring."""
    found: set[int] = set()
    inside = False
    for number, line in enumerate(text.splitlines()):
        quotes = sum(line.count(mark) for mark in _QUOTES)
        if inside or quotes > 0 or _COMMENT.match(line) is not None:
            found.add(number)
        inside = inside ^ (quotes % 2 == 1)
    return found


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word.removesuffix("e") if len(word) > 3 else word
