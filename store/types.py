"""The project's vocabulary as values: everything that crosses a package border.

Frozen dataclasses and string enums only; no I/O, no SQL, no HTTP. Scores are named by
origin (DESIGN §1); times are timezone-aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Json: TypeAlias = dict[str, Any]
Vector: TypeAlias = npt.NDArray[np.float32]
"""A dense embedding: shape ``(d,)`` (or ``(n, d)`` for a stack), L2-normalised."""

FIRST_STAGE_VERSION = 0
"""The version that does not rerank. It always exists and can always be rolled back to."""


class SignalKind(StrEnum):
    THUMB = "thumb"
    STARS = "stars"
    REASONS = "reasons"
    NOTE = "note"
    CHUNK_VOTE = "chunk_vote"
    CORRECTION = "correction"
    CLICK = "click"
    COPY = "copy"
    OPEN = "open"


class AnswerKind(StrEnum):
    SEARCH = "search"
    ANSWER = "answer"
    CHAT = "chat"


class Split(StrEnum):
    TRAIN = "train"
    HELD_OUT = "held_out"


class JobKind(StrEnum):
    NIGHTLY = "nightly"
    EVALUATE = "evaluate"
    INDEX = "index"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class Decision(StrEnum):
    PROMOTE = "promote"
    REJECT = "reject"
    NOT_PROVEN = "not_proven"


class VersionForm(StrEnum):
    """How a version scores a candidate list (see ``store.blend``)."""

    FIRST_STAGE = "first_stage"
    CROSS_ENCODER = "cross_encoder"


class DeploymentAction(StrEnum):
    INITIAL = "initial"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    COMPENSATE = "compensate"


class PairSource(StrEnum):
    """Why a training pair exists."""

    CHUNK_VOTE = "chunk_vote"
    CORRECTION = "correction"
    THUMB = "thumb"
    STARS = "stars"
    CLICK = "click"
    GOLDEN = "golden"
    IMPORTED = "imported"
    HARD_NEGATIVE = "hard_negative"
    RANDOM_NEGATIVE = "random_negative"
    REPLAY = "replay"


# --- code -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Repo:
    id: int
    name: str
    path: str
    created_at: datetime
    indexed_at: datetime | None
    files: int
    chunks: int
    skipped: Mapping[str, int]
    """Reason → number of files left out by the last indexing."""


@dataclass(frozen=True, slots=True)
class ChunkDraft:
    """A chunk as the indexer cut it, before it has an id."""

    path: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    text: str
    content_hash: str
    """sha256 hex of the text's UTF-8 bytes."""


@dataclass(frozen=True, slots=True)
class Chunk:
    id: int
    repo: str
    path: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    content_hash: str
    text: str


# --- ranking ----------------------------------------------------------------------------


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


# --- signals and judgments ---------------------------------------------------------------


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
class Snapshot:
    """An immutable, content-hashed set of pairs plus the evaluation queries: what one model was trained on.

    The hash covers ``pairs``, ``held_out``, ``train_queries``, ``texts``' hashes and ``params``, in canonical JSON.
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


# --- versions, deployments, jobs ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Version:
    id: int
    name: str
    form: VersionForm
    base: str
    parent_id: int | None
    snapshot_hash: str | None
    path: str | None
    """Directory below the models directory; None for version 0."""
    blend: Blend
    metrics: Json
    decision: Decision | None
    reasons: tuple[str, ...]
    created_at: datetime
    job_id: int | None
    champion: bool = False


@dataclass(frozen=True, slots=True)
class Champion:
    """The pointer that servers watch. ``generation`` grows by one with every move."""

    version_id: int
    generation: int
    since: datetime
    auto_promote: bool
    """False after a person's rollback, until resumed."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One line of the append-only ledger."""

    id: int
    at: datetime
    actor: str
    action: DeploymentAction
    from_version: int | None
    to_version: int
    generation: int
    reason: str
    forced: bool
    job_id: int | None


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: JobKind
    state: JobState
    stage: str
    progress: float
    params: Json
    result: Json | None
    error: str | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    requested_by: str


@dataclass(frozen=True, slots=True)
class JobEvent:
    """A line of a job's live log. ``data`` holds e.g. loss, learning rate, pairs per second, seconds left."""

    id: int
    job_id: int
    at: datetime
    type: str
    data: Json
