"""Aliases and enumerations: the words that everything else is said in."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Json: TypeAlias = dict[str, Any]
Vector: TypeAlias = npt.NDArray[np.float32]
"""A dense embedding: shape ``(d,)`` (or ``(n, d)`` for a stack), L2-normalised."""

FIRST_STAGE_VERSION = 0
"""The version that does not rerank. It always exists and can always be rolled back to."""

REPEATS = "repeats"
"""In the metrics of a rehearsal's version: the hash of the snapshot that it repeats. It is no trial and no news."""

SECOND_OPINIONS = "second_opinions"
"""The body of evidence that second opinions make."""


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


class Role(StrEnum):
    """What a person may do; each includes the one before."""

    USER = "user"
    """Asks."""
    RATER = "rater"
    """Asks and rates."""
    ADMIN = "admin"
    """Everything."""


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
    CODE_QUESTION = "code_question"
