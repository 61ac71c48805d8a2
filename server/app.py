"""The HTTP application: routes, error bodies, start and stop, and the description that clients are generated from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from server import problems
from server.guard import Guard
from server.hosts import Hosts
from server.metrics import Metrics
from server.proxies import Proxies
from server.routes import answer, chat, conversations, feedback, health, oidc, pages, repos, search, session
from server.routes.admin import routers as admin_routers
from server.schemas.asking import ChatCitations, ChatDone, ChatSources, ChatToken
from server.schemas.common import ErrorBody
from server.schemas.jobs import JobEventView
from server.state import AppState, Clock, open_state, utc_now
from store.encoder import Encoder
from store.errors import RankloopError
from store.release import release
from store.settings import Settings

STREAMED = (ChatSources, ChatToken, ChatCitations, ChatDone, JobEventView)
"""Payloads of server-sent events: OpenAPI has no place for them, so they are added to its components."""


def create_app(settings: Settings, *, encoder: Encoder | None = None, clock: Clock = utc_now) -> FastAPI:
    """Build the application. Nothing is opened before it starts; ``encoder`` saves loading the settings' one."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        state = await anyio.to_thread.run_sync(open_state, settings, metrics, encoder, clock)
        app.state.rankloop = state
        try:
            yield
        finally:
            if state.model is not None:
                await state.model.close()
            await anyio.to_thread.run_sync(state.close)
            app.state.rankloop = None

    app = FastAPI(
        title="Rankloop",
        version=release(),
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={"4XX": {"model": ErrorBody}, "5XX": {"model": ErrorBody}},
        generate_unique_id_function=lambda route: route.name,
    )
    app.add_middleware(
        Guard, observe=metrics.request, hosts=Hosts(settings), proxies=Proxies(settings), https=settings.secure
    )
    app.add_exception_handler(RankloopError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for module in (search, answer, chat, feedback, conversations, repos, session, oidc, health):
        app.include_router(module.router)
    for router in admin_routers:
        app.include_router(router, prefix="/api/admin", tags=["admin"])
    app.include_router(pages.router)  # last: it takes whatever path is left
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def end_streams(app: FastAPI) -> None:
    """Let open event streams say that the server stops, and end. Call it on the application's event loop."""
    state = getattr(app.state, "rankloop", None)
    if isinstance(state, AppState):
        state.stopping.set()


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description with the payloads of the event streams."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        extra = models_json_schema(
            [(model, "serialization") for model in STREAMED], ref_template="#/components/schemas/{model}"
        )[1]
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        for name, body in extra["$defs"].items():
            components.setdefault(name, body)
        app.openapi_schema = schema
    return app.openapi_schema


async def _on_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RankloopError)
    body = problems.body(error.code, error.message)
    return JSONResponse(body, problems.status_of(error), headers=problems.headers_of(error))


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    status, body = problems.invalid(error.errors())
    return JSONResponse(body, status)


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status, message = error.status_code, str(error.detail)
    if status == 405 and "file" in request.path_params:  # nothing but the route that takes what is left knows the path
        status = 404
    if status == 404:
        message = f"There is nothing at {request.url.path}; /docs lists the calls."
    elif status == 405:
        message = f"{request.method} is not possible at {request.url.path}; /docs lists the calls."
    headers = dict(error.headers) if error.headers else None
    return JSONResponse(problems.body(problems.code_of(status), message), status, headers=headers)
