"""Ratings: what people say about answers and chunks, and what became of it."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter

from server import receipt as receipts
from server.deps import Id, Judge, Judging, Key, Rater, State, Who, take_search
from server.schemas.rating import ChunkRatingForm, CorrectionForm, EventForm, EventRecorded, RatingForm, Receipt
from server.state import AppState
from store import impressions, signals, visibility
from store.errors import InvalidInput
from store.types import AnswerRecord, Impression, Signal, SignalKind

router = APIRouter(prefix="/api/answers/{answer_id}", tags=["rate"])


@router.put("/rating")
def rate(answer_id: Key, form: RatingForm, judge: Rater, state: State) -> Receipt:
    """Rate an answer. The latest rating of an actor wins; null takes back."""
    changes = {name: getattr(form, name) for name in form.model_fields_set}
    if not changes:
        raise InvalidInput("Give at least one of thumb, stars, reasons and note; null takes one back.")
    actor = _rater(state, answer_id, judge)
    if judge.logged:
        with state.db.write() as tx:
            signals.put_rating(tx, answer_id, actor, changes, state.clock(), judge.client)
        _count(state, changes)
    return receipts.build(state.db, answer_id, actor, {}, None, judge.hidden)


@router.put("/chunks/{chunk_id}/rating")
def rate_chunk(answer_id: Key, chunk_id: Id, form: ChunkRatingForm, judge: Rater, state: State) -> Receipt:
    """Say whether a chunk is relevant to the question; null takes back."""
    actor = _rater(state, answer_id, judge, chunk_id)
    if judge.logged:
        with state.db.write() as tx:
            signals.put(
                tx, answer_id, actor, SignalKind.CHUNK_VOTE, chunk_id, form.relevant, state.clock(), judge.client
            )
        state.metrics.rating(SignalKind.CHUNK_VOTE)
    return receipts.build(state.db, answer_id, actor, {}, None, judge.hidden)


@router.put("/correction")
def correct(answer_id: Key, form: CorrectionForm, judge: Rater, state: State) -> Receipt:
    """Name the chunk that was the right one; null takes back."""
    actor = _rater(state, answer_id, judge, form.chunk_id)
    if judge.logged:
        value = None if form.chunk_id is None else True
        with state.db.write() as tx:
            signals.put(tx, answer_id, actor, SignalKind.CORRECTION, form.chunk_id, value, state.clock(), judge.client)
        state.metrics.rating(SignalKind.CORRECTION)
    return receipts.build(state.db, answer_id, actor, {}, None, judge.hidden)


@router.post("/events")
def event(answer_id: Key, form: EventForm, judge: Rater, state: State) -> EventRecorded:
    """Record that a source was clicked, copied or opened."""
    actor = _rater(state, answer_id, judge, form.chunk_id)
    if not judge.logged:
        return EventRecorded(recorded=False)
    with state.db.write() as tx:
        recorded = signals.put(
            tx, answer_id, actor, SignalKind(form.type), form.chunk_id, True, state.clock(), judge.client
        )
    return EventRecorded(recorded=recorded)


@router.get("/receipt")
async def receipt(answer_id: Key, judge: Judging, who: Who, state: State) -> Receipt:
    """What became of the ratings: judgments, data sets, versions, rank then and now."""
    record, impression, held = await anyio.to_thread.run_sync(_rated, state, answer_id, judge)
    actor = judge.actor or record.actor
    wanted = receipts.chunks_of(impression, held)
    if not wanted:
        return await anyio.to_thread.run_sync(receipts.build, state.db, answer_id, actor, {}, None, judge.hidden)
    take_search(state, who)
    loaded = state.search.version()
    depth = max(len(impression.rows), state.settings.depth)
    find = state.search.find_known
    found = await state.pool.run(find, impression.query, impression.repo, depth, loaded, judge.hidden)
    ranks = {candidate.chunk.id: candidate.rank for candidate in found.candidates}
    now = {chunk_id: ranks.get(chunk_id) for chunk_id in wanted}
    return await anyio.to_thread.run_sync(
        receipts.build, state.db, answer_id, actor, now, found.model_version, judge.hidden
    )


def _rater(state: AppState, answer_id: str, judge: Judge, chunk_id: int | None = None) -> str:
    """Who rates: the caller, else whoever asked. Raises NotFound for an answer or chunk that is not there for them."""
    with state.db.read() as tx:
        visibility.check_answer(tx, answer_id, judge.hidden)
        asker = impressions.get_answer(tx, answer_id).actor
        visibility.check_chunk(tx, chunk_id, judge.hidden)
    return judge.actor or asker


def _rated(state: AppState, answer_id: str, judge: Judge) -> tuple[AnswerRecord, Impression, list[Signal]]:
    with state.db.read() as tx:
        visibility.check_answer(tx, answer_id, judge.hidden)
        record = impressions.get_answer(tx, answer_id)
        impression = impressions.get(tx, answer_id)
        return record, impression, signals.in_force(tx, answer_id, judge.actor or record.actor)


def _count(state: AppState, changes: dict[str, object]) -> None:
    for name in changes:
        state.metrics.rating(name)
