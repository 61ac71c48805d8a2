"""The HTTP application: routes, error bodies and the OpenAPI description that the browser client is generated from."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from server.routes import answer, chat, conversations, feedback, health, repos, search, session
from server.routes.admin import routers as admin_routers
from server.schemas.asking import ChatCitations, ChatDone, ChatSources, ChatToken
from server.schemas.common import ErrorBody
from server.schemas.jobs import JobEventView
from store.settings import Settings

STREAMED = (
    ChatSources,
    ChatToken,
    ChatCitations,
    ChatDone,
    JobEventView,
)
"""Payloads of server-sent events: OpenAPI has no place for them, so they are added to its components."""


def release() -> str:
    """The installed version, or "dev" in a bare checkout."""
    try:
        return version("rankloop")
    except PackageNotFoundError:
        return "dev"


def create_app(settings: Settings) -> FastAPI:
    """Build the application. Nothing is opened before it starts."""
    app = FastAPI(
        title="Rankloop",
        version=release(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        responses={"4XX": {"model": ErrorBody}, "5XX": {"model": ErrorBody}},
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    for module in (search, answer, chat, feedback, conversations, repos, session, health):
        app.include_router(module.router)
    for router in admin_routers:
        app.include_router(router, prefix="/api/admin", tags=["admin"])
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


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
