"""Bodies of the asking and rating calls. The browser client's types are generated from these (see ``server.app``)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

MAX_QUESTION = 8000
MAX_ID = 2**63 - 1


class View(BaseModel):
    """A response body; builds itself from the dataclass of the same fields."""

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)


class Form(BaseModel):
    """A request body; names it does not know are refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL characters")
    return text


Question = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION), AfterValidator(_no_nul)
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_no_nul)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(_no_nul)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_no_nul)]
ChunkId = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
Timings = dict[str, float]


class ErrorDetail(View):
    code: str
    message: str


class ErrorBody(View):
    """Every failed call answers with this."""

    error: ErrorDetail


# --- asking -----------------------------------------------------------------------------


class SearchForm(Form):
    query: Question
    repo: Name | None = None
    top_k: int = Field(10, ge=1, le=100)
    rerank: bool = True
    depth: int | None = Field(None, ge=1, le=500)
    """Candidates that are ranked and logged; None is the server's setting."""


class AnswerForm(Form):
    question: Question
    repo: Name | None = None
    top_k: int | None = Field(None, ge=1, le=50)


class ChatForm(Form):
    message: Question
    conversation_id: Name | None = None
    repo: Name | None = None
    top_k: int | None = Field(None, ge=1, le=50)
    stream: bool = True


class Result(View):
    """A ranked chunk. ``rerank_score`` is a logit, null where the version does not rerank; ranks count from 1."""

    chunk_id: int
    repo: str
    path: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    text: str
    dense_score: float
    lexical_score: float
    fused_score: float
    rerank_score: float | None
    final_score: float
    rank: int
    first_stage_rank: int
    matching_lines: list[int]
    """Line numbers of the file that say best why the chunk matches, best first."""


class Source(Result):
    n: int
    """The number that citations refer to."""
    cited: bool


class SearchResult(View):
    answer_id: str | None
    """Null for calls that are not logged."""
    model_version: int
    results: list[Result]
    timings: Timings
    """Stage → milliseconds."""


class AnswerResult(View):
    answer_id: str | None
    answer: str
    """Markdown with citations as [n]."""
    sources: list[Source]
    citations: list[int]
    model_version: int
    generator: str
    timings: Timings


class ChatResult(AnswerResult):
    conversation_id: str | None


class ChatSources(View):
    """Server-sent event ``sources``: the first of an answer."""

    answer_id: str | None
    conversation_id: str | None
    model_version: int
    query: str
    """What was searched with: the message, completed from earlier turns where it leans on them."""
    sources: list[Source]


class ChatToken(View):
    """Server-sent event ``token``: the next piece of the answer."""

    text: str


class ChatCitations(View):
    """Server-sent event ``citations``: the sources that the finished answer cites."""

    citations: list[int]


class ChatDone(View):
    """Server-sent event ``done``: the answer is stored and can be rated. ``answer`` is the final text."""

    answer_id: str | None
    conversation_id: str | None
    model_version: int
    answer: str
    generator: str
    timings: Timings


# --- rating -----------------------------------------------------------------------------


class RatingForm(Form):
    """An absent field stays as it was; null takes it back."""

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
    reasons: list[str] = []
    note: str | None = None
    chunks: dict[int, bool] = {}
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


# --- conversations, repositories, session -------------------------------------------------


class ConversationItem(View):
    id: str
    title: str
    repo: str | None
    created_at: datetime
    updated_at: datetime


class ConversationTurn(View):
    question: str
    answer: str
    answer_id: str
    sources: list[Source]
    citations: list[int]
    model_version: int
    generator: str
    created_at: datetime
    rating: RatingState


class ConversationDetail(ConversationItem):
    turns: list[ConversationTurn]


class ConversationForm(Form):
    title: Name


class StoredAnswer(ConversationTurn):
    repo: str | None
    conversation_id: str | None


class RepoItem(View):
    name: str
    indexed_at: datetime | None
    files: int
    chunks: int


class SessionForm(Form):
    """Sign in with the admin token or with the token of a one-time link; exactly one of the two."""

    token: Name | None = None
    link: Name | None = None


class SessionState(View):
    signed_in: bool
    actor: str
    role: str | None
    expires_at: datetime | None


class Ready(View):
    ready: bool
    checks: dict[str, str]
    """Part → ``ok`` or what is wrong."""
    model_version: int | None
    champion: int | None
    note: str | None
    """Set where another version than the champion serves, with the reason."""


class Alive(View):
    alive: bool
    version: str
