"""Chat: an answer as server-sent events, with the conversation so far as context."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from server.deps import Who
from server.schemas.asking import ChatForm, ChatResult
from store.errors import Unavailable

router = APIRouter(prefix="/api", tags=["ask"])


@router.post(
    "/chat",
    response_model=ChatResult,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def chat(form: ChatForm, who: Who) -> Response | ChatResult:
    """Server-sent events sources, token, citations, done, error; with stream=false one JSON body."""
    raise Unavailable("the server is starting")
