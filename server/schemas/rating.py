"""Bodies of the rating calls and the receipt, and of answers as they are kept, with their rating."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from server.schemas.asking import Source
from server.schemas.common import ChunkId, Form, Note, Reason, View


class RatingForm(Form):
    """An absent field stays as it was; null takes it back."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    thumb: Literal["up", "down"] | None = None
    stars: Annotated[int, Field(strict=True, ge=1, le=5)] | None = None
    reasons: Annotated[list[Reason], Field(max_length=10)] | None = None
    note: Note | None = None


class ChunkRatingForm(Form):
    relevant: Annotated[bool, Field(strict=True)] | None


class CorrectionForm(Form):
    """The right chunk, found through search; null takes the correction back."""

    chunk_id: ChunkId | None


class EventForm(Form):
    type: Literal["click", "copy", "open"]
    chunk_id: ChunkId


class RatingState(View):
    """What one person has said about one answer and holds in force."""

    thumb: Literal["up", "down"] | None = None
    stars: int | None = None
    reasons: list[str] = Field(default_factory=list)
    note: str | None = None
    chunks: dict[int, bool] = Field(default_factory=dict)
    """Chunk id → voted relevant or not."""
    correction: int | None = None


class ReceiptJudgment(View):
    id: str
    query: str
    chunk_id: int | None
    relevance: float
    weight: float
    strong: bool
    conflict: bool
    vetoed: bool
    retired: bool
    reasons: list[str]


class ReceiptVersion(View):
    """A version that was trained on a data set containing the rating."""

    id: int
    name: str
    decision: str | None
    champion: bool
    snapshot_hash: str
    created_at: datetime


class ReceiptRank(View):
    """Where a rated or corrected chunk ranked when it was shown, and where it ranks now."""

    chunk_id: int
    repo: str
    path: str
    start_line: int
    end_line: int
    then: int | None
    """Null where it was not among the candidates."""
    now: int | None
    """Null where it is not among the candidates, or was not recomputed (only ``GET …/receipt`` does)."""


class Receipt(View):
    """What became of a person's ratings of one answer."""

    answer_id: str
    message: str
    rating: RatingState
    judgments: list[ReceiptJudgment]
    snapshots: list[str]
    versions: list[ReceiptVersion]
    ranks: list[ReceiptRank]
    model_then: int
    model_now: int | None


class EventRecorded(View):
    recorded: bool
    """False where the same event was recorded before, or the call is not logged."""


class AnswerAsGiven(View):
    question: str
    answer: str
    answer_id: str
    sources: list[Source]
    citations: list[int]
    model_version: int
    generator: str
    created_at: datetime
    rating: RatingState


class ConversationTurn(AnswerAsGiven):
    query: str
    """What was searched with, as in the event ``sources``; only whoever asked reads it here."""


class StoredAnswer(AnswerAsGiven):
    repo: str | None
    conversation_id: str | None
