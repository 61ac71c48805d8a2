"""Responses that are streams of server-sent events, closed properly whoever leaves first."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from fastapi.responses import StreamingResponse
from starlette.types import Send

from server import problems, sse
from store.errors import RankloopError

log = logging.getLogger("rankloop.server")


class EventStream(StreamingResponse):
    """Sends ``events``; when the client leaves, the generator's ``finally`` runs at once, not at garbage collection."""

    def __init__(self, events: AsyncGenerator[bytes, None], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(guarded(events), media_type="text/event-stream", headers={**sse.HEADERS, **(headers or {})})
        self._events = events

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._events):
            await super().stream_response(send)


async def guarded(events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The events; a failure becomes the event ``error``, since the status line has been sent already."""
    try:
        async for event in events:
            yield event
    except RankloopError as error:
        yield sse.encode("error", problems.body(error.code, error.message))
    except Exception:  # the process edge, as in server.guard
        log.exception("an event stream failed")
        yield sse.encode("error", problems.body("internal", "Something went wrong on the server; its log says what."))
