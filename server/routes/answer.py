"""Answers: one question, one cited answer; and earlier answers again."""

from __future__ import annotations

from contextlib import aclosing

from fastapi import APIRouter, Request

from server import views
from server.answering.pipeline import Answering, Ask, Draft, Prepared
from server.deps import Asker, Judging, Key, State
from server.routes.leaving import while_connected
from server.schemas.asking import AnswerForm, AnswerResult
from server.schemas.rating import StoredAnswer
from server.state import AppState
from store import chunks, impressions, signals, visibility
from store.types import AnswerKind

router = APIRouter(prefix="/api", tags=["ask"])


@router.post("/answer")
async def answer(form: AnswerForm, asker: Asker, state: State, request: Request) -> AnswerResult:
    """Answer a question from the indexed code, with citations."""
    top_k = form.top_k or state.settings.top_k
    depth = max(state.settings.depth, top_k)
    ask = Ask(AnswerKind.ANSWER, form.question, form.repo, asker.actor, top_k, depth, asker.logged, asker.hidden)
    prepared = await while_connected(request, state.answering.prepare(ask))
    return body(prepared, await written(state, prepared))


@router.get("/answers/{answer_id}")
def stored_answer(answer_id: Key, judge: Judging, state: State) -> StoredAnswer:
    """An earlier answer with its sources and the caller's rating."""
    with state.db.read() as tx:
        visibility.check_answer(tx, answer_id, judge.hidden)
        record = impressions.get_answer(tx, answer_id)
        impression = impressions.get(tx, answer_id)
        shown = chunks.get(tx, [row.chunk_id for row in impression.rows if row.shown])
        held = signals.in_force(tx, answer_id, judge.actor or record.actor)
    return StoredAnswer(
        question=record.question,
        answer=record.answer,
        answer_id=record.id,
        sources=views.stored_sources(impression, shown),
        citations=list(record.citations),
        model_version=record.model_version,
        generator=record.generator,
        created_at=record.created_at,
        rating=views.rating(held),
        repo=None if record.repo in judge.hidden else record.repo,
        conversation_id=record.conversation_id,
    )


async def written(state: AppState, prepared: Prepared) -> Draft:
    """Write and store an answer whole."""
    draft = Draft()
    async with aclosing(state.answering.write(prepared, draft)) as pieces:
        async for _ in pieces:
            pass
    await state.answering.store(prepared, draft)
    state.metrics.answer(prepared.ask.kind, prepared.found.model_version, Answering.timings(prepared, draft))
    return draft


def body(prepared: Prepared, draft: Draft) -> AnswerResult:
    """A written answer."""
    return AnswerResult(
        answer_id=prepared.answer_id,
        answer=draft.text,
        sources=[views.source(shown, draft.citations) for shown in prepared.sources],
        citations=list(draft.citations),
        model_version=prepared.found.model_version,
        generator=draft.generator,
        timings=Answering.timings(prepared, draft),
    )
