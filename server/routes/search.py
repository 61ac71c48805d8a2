"""Search: ranked chunks for a query."""

from __future__ import annotations

from fastapi import APIRouter, Request

from server import views
from server.answering.pipeline import Ask, Draft
from server.deps import Asker, State
from server.routes.leaving import while_connected
from server.schemas.asking import SearchForm, SearchResult
from store.types import AnswerKind

router = APIRouter(prefix="/api", tags=["ask"])


@router.post("/search")
async def search(form: SearchForm, asker: Asker, state: State, request: Request) -> SearchResult:
    """Ranked chunks for a query."""
    depth = max(form.depth or state.settings.depth, form.top_k)
    ask = Ask(
        AnswerKind.SEARCH,
        form.query,
        form.repo,
        asker.actor,
        form.top_k,
        depth,
        asker.logged,
        asker.hidden,
        rerank=form.rerank,
    )
    prepared = await while_connected(request, state.answering.prepare(ask))
    await state.answering.store(prepared, Draft())
    timings = prepared.found.timings
    state.metrics.answer(ask.kind, prepared.found.model_version, timings)
    return SearchResult(
        answer_id=prepared.answer_id,
        model_version=prepared.found.model_version,
        results=[views.result(source.candidate, source.line_numbers) for source in prepared.sources],
        timings=timings,
    )
