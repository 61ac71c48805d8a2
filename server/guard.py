"""The edge that every request passes: request id, body limit, cross-site protection, security headers, last resort.

Plain ASGI, so that nothing above it can forget it and streams pass through unbuffered.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from server import problems
from server.hosts import Hosts
from server.proxies import Proxies

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Observe: TypeAlias = Callable[[str, str, int, float], None]
"""Called with method, route, status, seconds."""

MAX_BODY = 1 << 20
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
METHODS = CHANGING | {"GET", "HEAD", "OPTIONS"}
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
log = logging.getLogger("rankloop.server")


class Guard:
    """Wraps the application. ``https``: its pages are reached through HTTPS only."""

    def __init__(self, app: Asgi, observe: Observe, hosts: Hosts, proxies: Proxies, *, https: bool) -> None:
        self._app = app
        self._observe = observe
        self._hosts = hosts
        self._proxies = proxies
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer, port = scope.get("client") or ("", 0)
        seen = self._proxies.look(peer, scope["headers"])
        scope["headers"], scope["client"] = seen.headers, (seen.client, port)
        headers = dict(seen.headers)
        exchange = _Exchange(scope, send, _request_id(headers))
        started = time.perf_counter()
        try:
            if seen.ambiguous is None:
                await self._serve(scope, headers, receive, exchange)
            else:
                message = f"{seen.ambiguous} is there twice: the proxy must replace what callers send."
                await exchange.refuse(400, "ambiguous_person", message)
        finally:
            self._observe(method_of(scope), route_of(scope), exchange.status or 499, time.perf_counter() - started)

    async def _serve(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, exchange: _Exchange) -> None:
        if not self._hosts.answers(headers.get(b"host")):
            message = "This server does not go by that name. Use localhost, or list the name in RANKLOOP_HOSTS."
            await exchange.refuse(403, "wrong_host", message)
            return
        if scope["method"] in CHANGING and cross_site(headers, self._https):
            await exchange.refuse(403, "cross_site", "This call must come from Rankloop's own pages.")
            return
        replay = await _buffered(headers, receive)
        if replay is None:
            await exchange.refuse(413, "too_large", f"The body is larger than {MAX_BODY:,} bytes.")
            return
        try:
            await self._app(scope, replay, exchange.send)
        except Exception:  # the request handler's edge: nothing may leave it without an answer
            log.exception("request %s failed: %s %s", exchange.request_id, scope["method"], scope["path"])
            message = f"Something went wrong on the server. Its log has the details under {exchange.request_id}."
            if exchange.status is None:
                await exchange.refuse(500, "internal", message)
            else:
                raise


class _Exchange:
    """The response side of one request."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self.request_id = request_id
        self.status: int | None = None
        self._send = send
        self._private = scope["path"].startswith("/api/")
        self._notes: MutableMapping[str, Any] = scope.setdefault("state", {})

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = {name.lower() for name, _ in message["headers"]}
            extra = [*_HEADERS, (b"x-request-id", self.request_id.encode())]
            if self._private:
                extra.append((b"cache-control", b"no-store"))
            if cookie := self._notes.get("set_cookie"):
                extra.append((b"set-cookie", cookie.encode()))
            message["headers"] = [
                *message["headers"],
                *(pair for pair in extra if pair[0] not in given or pair[0] == b"set-cookie"),
            ]
        await self._send(message)

    async def refuse(self, status: int, code: str, message: str) -> None:
        body = json.dumps(problems.body(code, message)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def cross_site(headers: dict[bytes, bytes], https: bool) -> bool:
    """Whether a browser says that another site's page makes this call.

    Browsers send ``Sec-Fetch-Site``, older ones ``Origin``; programs send neither and are let through, since
    without a browser there are no borrowed cookies. Under ``https`` a page of the same name that came by plain HTTP
    is another site: anybody on the way could have written it.
    """
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in (b"same-origin", b"none")
    origin = headers.get(b"origin")
    if origin is None:
        return False
    scheme, _, name = origin.partition(b"://")
    return name != headers.get(b"host", b"") or (https and scheme != b"https")


def method_of(scope: Scope) -> str:
    """The method where it is a known one: a label with few values, whatever callers write."""
    return scope["method"] if scope["method"] in METHODS else "other"


def route_of(scope: Scope) -> str:
    """The path with its parameters' names in place of their values: a label with few values."""
    if "route" not in scope:
        return "unknown"
    path = str(scope["path"])
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


async def _buffered(headers: dict[bytes, bytes], receive: Receive) -> Receive | None:
    """Read the body whole, within the limit, and give back a ``receive`` that replays it; None when it is too large."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MAX_BODY:
        return None
    read: list[Message] = []
    size = 0
    while True:
        message = await receive()
        read.append(message)
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            break

    async def replay() -> Message:
        return read.pop(0) if read else await receive()

    return replay
