"""How clearly a shown chunk is about a question: the share of the question's telling words in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from server.answering.leaning import FUNCTION_WORDS
from server.answering.lines import terms
from server.answering.quoting import summary
from server.answering.sources import Source
from store.types import Candidate, Chunk

_WORD = re.compile(r"\w+")
_BEGINS = re.compile(r"(?:^|[\n.!?:]\s*)\W*(\w+)")
_GENERIC = terms("""
    call check class code create default define do error file find function get give handle happen implement inside
    library line make method module need object package place program project read repo repository return set show
    source start support system thing type value way work write
""")
"""Words that many questions share: they count half."""
_NAME = 2.0
"""Weight of a word that is written as a name: PostgreSQL, HTTP, load_config."""
_ELSEWHERE = 0.75
"""What a word counts that only stands somewhere in the code, not in its name, signature or summary."""
_GERMAN = frozenset(
    _WORD.findall("aus das dem den der ein eine einem einen einer für gibt im ist nicht und vom wie wird wo zum zur")
)
"""A question with one of these writes every noun with a capital, so a capital makes no name."""
_CLEAR, _CLEAR_AND_NEAR, _WEAK = 0.8, 0.5, 0.4
_NEAR, _NEAR_ALONE = 0.5, 0.45
"""Cosines: a chunk that near is clear with fewer of the words, and weak with none of them."""
_BROUGHT_UP, _TAUGHT = 3, 0.25
"""First-stage rank and cosine from which on a version's choice of the first place is taken for knowledge."""
_SAME, _SAME_SHARE = 5, 0.6
"""Terms are one word where they begin with as many equal letters, and with this share of the longer one."""


class Fit(IntEnum):
    """How clearly a chunk is about the question."""

    NONE = 0
    WEAK = 1
    CLEAR = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """A telling word of the question: found where its stem stands, or all its parts do."""

    stem: frozenset[str]
    parts: frozenset[str]
    weight: float
    is_name: bool

    def in_(self, found: frozenset[str]) -> bool:
        return self.stem <= found or bool(self.parts and self.parts <= found) or _alike(self.stem, found)


class Question:
    """A question's telling words, weighed by how common they are among ``candidates``: the rarer, the more."""

    def __init__(self, query: str, candidates: Sequence[Candidate]) -> None:
        texts = [_everything(candidate.chunk) for candidate in candidates]
        everywhere = frozenset().union(*texts)
        self._wanted = [_weighed(one, texts) for one in _wanted(query)]
        self._unknown = any(one.is_name and not one.in_(everywhere) for one in self._wanted)

    def fit(self, source: Source) -> Fit:
        """Nothing fits a question that names what no candidate knows, but what people's ratings have brought up."""
        near, share = source.candidate.dense_score, self.share(source.chunk)
        if self._unknown:
            return Fit.WEAK if _is_taught(source.candidate) else Fit.NONE
        if share >= _CLEAR or (share >= _CLEAR_AND_NEAR and near >= _NEAR):
            return Fit.CLEAR
        weak = share >= _WEAK or near >= _NEAR_ALONE or _is_taught(source.candidate)
        return Fit.WEAK if weak else Fit.NONE

    def share(self, chunk: Chunk) -> float:
        """The share of the question's weight that ``chunk`` has, in [0, 1]."""
        whole = sum(one.weight for one in self._wanted)
        if not whole:
            return 0.0
        core = frozenset(terms(f"{chunk.path} {chunk.symbol} {summary(chunk.text)}"))
        everything = core | _everything(chunk)
        found = (
            one.weight * (1.0 if one.in_(core) else _ELSEWHERE if one.in_(everything) else 0.0) for one in self._wanted
        )
        return sum(found) / whole


def _is_taught(candidate: Candidate) -> bool:
    """Whether the serving version put first what stood clearly lower: it may know what no word of the code says."""
    up = candidate.rank == 1 and candidate.first_stage_rank >= _BROUGHT_UP
    return up and candidate.rerank_score is not None and candidate.dense_score >= _TAUGHT


def _wanted(query: str) -> Iterable[Wanted]:
    begins = {match.start(1) for match in _BEGINS.finditer(query)}
    capitals_name = _GERMAN.isdisjoint(_WORD.findall(query.lower()))
    seen: set[frozenset[str]] = set()
    for match in _WORD.finditer(query):
        word = match.group()
        found = frozenset(terms(word)) if word.lower() not in FUNCTION_WORDS else frozenset[str]()
        if not found or found in seen:
            continue
        seen.add(found)
        stem = frozenset(terms(word.lower())) if len(found) > 1 else found
        marked = "_" in word or any(letter.isupper() for letter in word[1:])
        named = marked or (capitals_name and word[0].isupper() and match.start() not in begins)
        weight = _NAME if named else 0.5 if found <= _GENERIC else 1.0
        yield Wanted(stem & found or found, found - stem, weight, named)


def _weighed(one: Wanted, texts: Sequence[frozenset[str]]) -> Wanted:
    common = sum(one.in_(text) for text in texts) / len(texts) if texts else 0.0
    return Wanted(one.stem, one.parts, one.weight * (1 - common / 2), one.is_name)


def _everything(chunk: Chunk) -> frozenset[str]:
    return frozenset(terms(f"{chunk.path} {chunk.symbol} {chunk.text}"))


def _alike(stem: frozenset[str], found: frozenset[str]) -> bool:
    if len(stem) != 1:
        return False
    (word,) = stem
    if len(word) < _SAME:
        return False
    near = (other for other in found if other.startswith(word[:_SAME]))
    return any(_common(word, other) >= _SAME_SHARE * max(len(word), len(other)) for other in near)


def _common(one: str, other: str) -> int:
    """How many letters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
