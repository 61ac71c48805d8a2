"""Learning: signals, judgments, pairs, evaluation queries and the snapshot that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.types.words import Json, PairSource, SignalKind, Split

AGREED = 0.5 - 1e-9
"""Agreement |for - against| / (for + against) from which a contradicted judgment is truth in evaluation: three voices
to one (less what sums round off). With fewer, the next voice or two could turn what every version is measured by."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One act of a person. ``value`` None is a retraction."""

    id: int
    answer_id: str
    actor: str
    kind: SignalKind
    chunk_id: int | None
    value: Any
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Judgment:
    """What the signals about one (query group, chunk text) mean.

    ``relevance`` in [0, 1]; ``weight`` in [0, 1]; ``strong`` judgments train and are truth in evaluation,
    weak ones only train. ``reasons`` say in words why it exists, one a signal.
    """

    id: str
    """Stable key: hash of group and content hash. Vetoes and edits refer to it."""
    group_id: int
    query: str
    content_hash: str
    chunk_id: int | None
    relevance: float
    weight: float
    strong: bool
    sources: tuple[PairSource, ...]
    reasons: tuple[str, ...]
    signal_ids: tuple[int, ...]
    actors: tuple[str, ...]
    conflict: bool = False
    vetoed: bool = False
    retired: bool = False

    @property
    def agreed(self) -> bool:
        """Whether it is contradicted by nobody, or by few enough (``AGREED``). Relevance is the share of voices for."""
        return not self.conflict or abs(2 * self.relevance - 1) >= AGREED


@dataclass(frozen=True, slots=True)
class QueryGroup:
    """Queries that mean the same; they share one split for ever."""

    id: int
    split: Split
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """One training row, with the first-stage scores that the residual form needs."""

    group_id: int
    query: str
    content_hash: str
    label: float
    weight: float
    source: PairSource
    dense_score: float = 0.0
    lexical_score: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EvalQuery:
    """One query group as the gate scores it: a full logged candidate list and its truth."""

    group_id: int
    query: str
    split: Split
    content_hashes: tuple[str, ...]
    """Candidates in first-stage order."""
    dense_scores: tuple[float, ...]
    lexical_scores: tuple[float, ...]
    relevance: Mapping[str, float]
    """content hash → graded relevance of strong judgments; what is absent is unjudged."""


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """A training-side question that one more person judged later, and its pairs as they were without that person."""

    query: EvalQuery
    """The list of the group; its truth is what that person said, alone."""
    pairs: tuple[Pair, ...]
    """The group's pairs by what others had said before."""
    signal_ids: tuple[int, ...]
    """What that person said: a version that heard any of it can't be measured by it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable, content-hashed set of pairs plus the evaluation queries: what one model was trained on.

    The hash covers pairs, lists, second opinions, their texts' hashes and ``params``, in canonical JSON.
    """

    hash: str
    created_at: datetime
    pairs: tuple[Pair, ...]
    train_queries: tuple[EvalQuery, ...]
    """Strongly judged groups of the training split (inner dev and out-of-fold evidence come from these)."""
    held_out: tuple[EvalQuery, ...]
    params: Json
    """Recipe name, hyper-parameters, step budget, seed, base."""
    stats: Json
    """Counts for the card: queries, pairs by source, signals used, retired, conflicts, actors."""
    second_opinions: tuple[SecondOpinion, ...] = ()
