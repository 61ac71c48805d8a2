"""The project's vocabulary as values: everything that crosses a package border.

Frozen dataclasses and string enums only; no I/O, no SQL, no HTTP. Scores are named by
origin (DESIGN §1); times are timezone-aware UTC datetimes.
"""

from __future__ import annotations

from store.types.code import Chunk, ChunkDraft, LeftOut, Repo
from store.types.learning import AGREED, EvalQuery, Judgment, Pair, QueryGroup, SecondOpinion, Signal, Snapshot
from store.types.ranking import AnswerRecord, Blend, Candidate, Impression, ImpressionRow
from store.types.serving import Champion, Deployment, Job, JobEvent, Version
from store.types.words import (
    FIRST_STAGE_VERSION,
    REPEATS,
    SECOND_OPINIONS,
    AnswerKind,
    Decision,
    DeploymentAction,
    JobKind,
    JobState,
    Json,
    PairSource,
    Role,
    SignalKind,
    Split,
    Vector,
    VersionForm,
)

__all__ = [
    "AGREED",
    "FIRST_STAGE_VERSION",
    "REPEATS",
    "SECOND_OPINIONS",
    "AnswerKind",
    "AnswerRecord",
    "Blend",
    "Candidate",
    "Champion",
    "Chunk",
    "ChunkDraft",
    "Decision",
    "Deployment",
    "DeploymentAction",
    "EvalQuery",
    "Impression",
    "ImpressionRow",
    "Job",
    "JobEvent",
    "JobKind",
    "JobState",
    "Json",
    "Judgment",
    "LeftOut",
    "Pair",
    "PairSource",
    "QueryGroup",
    "Repo",
    "Role",
    "SecondOpinion",
    "Signal",
    "SignalKind",
    "Snapshot",
    "Split",
    "Vector",
    "Version",
    "VersionForm",
]
