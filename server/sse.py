"""Server-sent events as bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from store.types import Json

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
KEEP_ALIVE = b": keep-alive\n\n"


def encode(event: str, data: BaseModel | Json, id: int | None = None) -> bytes:
    """One event. The JSON has no line breaks, so one ``data`` line carries it."""
    text = data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data, ensure_ascii=False)
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {event}\ndata: {text}\n\n".encode()


def described(**payloads: type[BaseModel] | None) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI response of a stream: event name → its payload, None where that is any object.

    ``itemSchema`` is OpenAPI 3.2's word for what one event is; 3.1 has none.
    """
    events = []
    for name, payload in payloads.items():
        ref = {"type": "object"} if payload is None else {"$ref": f"#/components/schemas/{payload.__name__}"}
        data = {"type": "string", "contentMediaType": "application/json", "contentSchema": ref}
        properties = {"event": {"const": name}, "data": data, "id": {"type": "string"}}
        events.append({"type": "object", "properties": properties, "required": ["event", "data"]})
    return {200: {"content": {"text/event-stream": {"itemSchema": {"oneOf": events}}}}}
