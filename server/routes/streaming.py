"""Responses that are streams: server-sent events, closed properly whoever leaves first, and downloads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing

import anyio
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Send

from server import problems, sse
from store.errors import RankloopError, Unavailable

_STOPPING = "The server is stopping. Ask again once it is back."
log = logging.getLogger("rankloop.server")


class Stopping(Unavailable):
    """The server has been asked to end."""

    code = "stopping"


class EventStream(StreamingResponse):
    """Sends ``events``; when the client leaves or ``stopping`` is set, the generator's ``finally`` runs at once, not at
    garbage collection."""

    def __init__(
        self, events: AsyncGenerator[bytes, None], stopping: asyncio.Event, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(
            guarded(events, stopping), media_type="text/event-stream", headers={**sse.HEADERS, **(headers or {})}
        )
        self._events = events

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._events):
            await super().stream_response(send)


class JsonLines(StreamingResponse):
    """A download of one JSON object a line, made a batch at a time."""

    media_type = "application/jsonl"

    def __init__(self, batches: Iterator[Sequence[BaseModel]], name: str) -> None:
        lines = ("".join(f"{one.model_dump_json()}\n" for one in batch) for batch in batches)
        super().__init__(lines, headers={"Content-Disposition": f'attachment; filename="{name}.jsonl"'})


async def guarded(events: AsyncGenerator[bytes, None], stopping: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """The events, until the server stops; a failure, as stopping, becomes the event ``error``, since the status line
    has been sent already."""
    try:
        while (event := await _next(events, stopping)) is not None:
            yield event
    except RankloopError as error:
        yield sse.encode("error", problems.body(error.code, error.message))
    except Exception:  # the process edge, as in server.guard
        log.exception("an event stream failed")
        yield sse.encode("error", problems.body("internal", "Something went wrong on the server; its log says what."))


async def _next(events: AsyncGenerator[bytes, None], stopping: asyncio.Event) -> bytes | None:
    """The next event, None at the end. Raises Unavailable once the server stops, after the generator has cleaned up."""
    if stopping.is_set():
        raise Stopping(_STOPPING)
    step = asyncio.create_task(_step(events))
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((step, stop), return_when=asyncio.FIRST_COMPLETED)
        if step.done():
            return step.result()
    finally:
        stop.cancel()
        if not step.done():
            step.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait((step,))
    if not step.cancelled() and step.exception() is not None:
        log.warning("an event stream failed while it was stopped", exc_info=step.exception())
    raise Stopping(_STOPPING)


async def _step(events: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(events, None)
