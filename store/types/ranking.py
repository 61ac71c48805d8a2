"""Ranking: candidates, how they are blended, and the impression that logs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from store.types.code import Chunk
from store.types.words import AnswerKind


@dataclass(frozen=True, slots=True)
class Blend:
    """Weights of a candidate's ``final_score``: a linear form, fitted on dev per version.

    ``final_score = dense * dense_score + lexical * lexical_score + rerank * rerank_score``
    """

    dense: float = 1.0
    lexical: float = 0.0
    rerank: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk with its first-stage scores and rank, and after reranking its final ones.

    ``dense_score`` is a cosine in [-1, 1]; ``lexical_score`` is BM25 divided by the list's best,
    in [0, 1]; ``rerank_score`` a logit (None when the version does not rerank); ranks count from 1.
    """

    chunk: Chunk
    dense_score: float
    lexical_score: float
    fused_score: float
    first_stage_rank: int
    rerank_score: float | None = None
    final_score: float = 0.0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class ImpressionRow:
    """One candidate of an impression as logged: what evaluation and mining read back."""

    chunk_id: int
    content_hash: str
    dense_score: float
    lexical_score: float
    fused_score: float
    rerank_score: float | None
    final_score: float
    first_stage_rank: int
    rank: int
    shown: bool
    cited: bool


@dataclass(frozen=True, slots=True)
class Impression:
    """The logged candidate list of one answered query, rows ordered by ``rank``."""

    answer_id: str
    query: str
    repo: str | None
    actor: str
    kind: AnswerKind
    model_version: int
    created_at: datetime
    rows: tuple[ImpressionRow, ...]


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer to be stored with its impression in one transaction."""

    id: str
    kind: AnswerKind
    query: str
    question: str
    repo: str | None
    actor: str
    answer: str
    citations: tuple[int, ...]
    """1-based numbers into the shown sources."""
    generator: str
    model_version: int
    created_at: datetime
    conversation_id: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
