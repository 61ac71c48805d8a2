"""Bodies of search, answer and chat."""

from __future__ import annotations

from pydantic import Field

from server.schemas.common import Form, Name, Question, Timings, View


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
    query: str
    """What was searched with: the message, completed from earlier turns where it leans on them."""


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
