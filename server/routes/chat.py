"""Chat: an answer as server-sent events, with the conversation so far as context."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import Response

from server import sse, views
from server.answering.pipeline import Answering, Ask, Draft, Prepared
from server.deps import Asker, State
from server.routes.answer import body, written
from server.routes.leaving import while_connected
from server.routes.streaming import EventStream
from server.schemas.asking import ChatCitations, ChatDone, ChatForm, ChatResult, ChatSources, ChatToken
from server.schemas.common import ErrorBody
from server.state import AppState
from store.types import AnswerKind

router = APIRouter(prefix="/api", tags=["ask"])


@router.post(
    "/chat",
    response_model=ChatResult,
    responses=sse.described(
        sources=ChatSources, token=ChatToken, citations=ChatCitations, done=ChatDone, error=ErrorBody
    ),
)
async def chat(form: ChatForm, asker: Asker, state: State, request: Request) -> Response | ChatResult:
    """Server-sent events sources, token, citations, done, error; with stream=false one JSON body."""
    top_k = form.top_k or state.settings.top_k
    ask = Ask(
        AnswerKind.CHAT,
        form.message,
        form.repo,
        asker.actor,
        top_k,
        max(state.settings.depth, top_k),
        asker.logged,
        asker.hidden,
        conversation_id=form.conversation_id,
        inherit_repo="repo" not in form.model_fields_set,
    )
    prepared = await while_connected(request, state.answering.prepare(ask))
    if form.stream:
        return EventStream(events(state, prepared), state.stopping)
    result = body(prepared, await written(state, prepared))
    return ChatResult(**result.model_dump(), conversation_id=prepared.conversation_id, query=prepared.found.query)


async def events(state: AppState, prepared: Prepared) -> AsyncGenerator[bytes, None]:
    """The answer as it is written. What a reader who stops has seen is stored all the same, so that it can be rated."""
    draft = Draft()
    finished = False
    try:
        yield sse.encode("sources", _sources(prepared))
        async with aclosing(state.answering.write(prepared, draft)) as pieces:
            async for piece in pieces:
                yield sse.encode("token", ChatToken(text=piece))
        finished = True
        await state.answering.store(prepared, draft)
    finally:
        if not finished:
            with anyio.CancelScope(shield=True):
                await state.answering.store(prepared, draft)
    timings = Answering.timings(prepared, draft)
    state.metrics.answer(prepared.ask.kind, prepared.found.model_version, timings)
    yield sse.encode("citations", ChatCitations(citations=list(draft.citations)))
    yield sse.encode(
        "done",
        ChatDone(
            answer_id=prepared.answer_id,
            conversation_id=prepared.conversation_id,
            model_version=prepared.found.model_version,
            answer=draft.text,
            generator=draft.generator,
            timings=timings,
        ),
    )


def _sources(prepared: Prepared) -> ChatSources:
    return ChatSources(
        answer_id=prepared.answer_id,
        conversation_id=prepared.conversation_id,
        model_version=prepared.found.model_version,
        query=prepared.found.query,
        sources=[views.source(shown, ()) for shown in prepared.sources],
    )
