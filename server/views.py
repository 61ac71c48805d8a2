"""Values as bodies: candidates, sources and stored answers the way the schemas show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from server.answering.lines import matching_lines, rarity
from server.answering.sources import Source as AnswerSource
from server.answering.sources import sources_of
from server.schemas.asking import Result, Source
from server.schemas.rating import RatingState
from store.types import Candidate, Chunk, Impression, ImpressionRow, Signal, SignalKind


def result(candidate: Candidate, lines: Sequence[int]) -> Result:
    """A ranked chunk."""
    return Result.model_validate(_fields(candidate.chunk, candidate) | {"matching_lines": list(lines)})


def results(query: str, shown: Sequence[Candidate]) -> list[Result]:
    """Ranked chunks with the lines that match the query."""
    return [result(source.candidate, source.line_numbers) for source in sources_of(query, shown)]


def source(shown: AnswerSource, cited: Iterable[int]) -> Source:
    """A numbered source of an answer."""
    numbered = {"matching_lines": shown.line_numbers, "n": shown.n, "cited": shown.n in cited}
    return Source.model_validate(_fields(shown.chunk, shown.candidate) | numbered)


def stored_sources(impression: Impression, chunks: Mapping[int, Chunk]) -> list[Source]:
    """What a stored answer showed, in its order."""
    shown = [row for row in impression.rows if row.shown and row.chunk_id in chunks]
    weights = rarity([chunks[row.chunk_id].text for row in shown])
    views: list[Source] = []
    for n, row in enumerate(shown, 1):
        chunk = chunks[row.chunk_id]
        matches = matching_lines(impression.query, chunk.text, weights)
        lines = [chunk.start_line + match.number for match in matches]
        numbered = {"matching_lines": lines, "n": n, "cited": row.cited}
        views.append(Source.model_validate(_fields(chunk, row) | numbered))
    return views


def rating(signals: Iterable[Signal]) -> RatingState:
    """What one person holds in force about one answer."""
    state = RatingState()
    for signal in signals:
        match signal.kind:
            case SignalKind.THUMB:
                state.thumb = signal.value
            case SignalKind.STARS:
                state.stars = signal.value
            case SignalKind.REASONS:
                state.reasons = list(signal.value)
            case SignalKind.NOTE:
                state.note = signal.value
            case SignalKind.CHUNK_VOTE if signal.chunk_id is not None:
                state.chunks[signal.chunk_id] = bool(signal.value)
            case SignalKind.CORRECTION:
                state.correction = signal.chunk_id
            case _:
                pass
    return state


def _fields(chunk: Chunk, scored: Candidate | ImpressionRow) -> dict[str, object]:
    return {
        "chunk_id": chunk.id,
        "repo": chunk.repo,
        "path": chunk.path,
        "start_line": chunk.start_line,
        "end_line": chunk.end_line,
        "symbol": chunk.symbol,
        "language": chunk.language,
        "text": chunk.text,
        "dense_score": scored.dense_score,
        "lexical_score": scored.lexical_score,
        "fused_score": scored.fused_score,
        "rerank_score": scored.rerank_score,
        "final_score": scored.final_score,
        "rank": scored.rank,
        "first_stage_rank": scored.first_stage_rank,
    }
