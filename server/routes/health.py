"""Liveness, readiness, metrics."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.deps import State
from server.metrics import CONTENT_TYPE
from server.schemas.account import Alive, Ready
from server.state import AppState
from store import deployments
from store.database import schema_version
from store.errors import RankloopError

router = APIRouter(tags=["health"])
OK = "ok"


@router.get("/healthz")
async def healthz(request: Request) -> Alive:
    """The process is alive."""
    return Alive(alive=True, version=request.app.version)


@router.get("/readyz")
def readyz(response: Response, state: State) -> Ready:
    """Database, index and champion are ready (503 otherwise)."""
    champion: list[int] = []
    checks = {
        "database": _check(lambda: _database(state)),
        "index": _check(lambda: state.vectors.count()),
        "champion": _check(lambda: champion.append(_champion(state))),
    }
    ready = all(check == OK for check in checks.values())
    if not ready:
        response.status_code = 503
    problem = state.follower.problem
    serving = state.follower.reranker.current().version.id
    note = (
        f"version {problem.version_id} is the champion but could not be loaded, so version {serving} serves: "
        f"{problem.reason}"
        if problem is not None
        else None
    )
    return Ready(
        ready=ready, checks=checks, model_version=serving, champion=champion[0] if champion else None, note=note
    )


@router.get("/metrics", include_in_schema=False)
def metrics(state: State) -> Response:
    """Prometheus metrics."""
    state.metrics.serving.set(state.follower.reranker.current().version.id)
    state.metrics.champion.set(_champion(state))
    state.metrics.degraded.set(0 if state.follower.problem is None else 1)
    return Response(state.metrics.text(), media_type=CONTENT_TYPE)


def _check(look: Callable[[], object]) -> str:
    try:
        look()
    except RankloopError as error:
        return error.message
    return OK


def _database(state: AppState) -> None:
    with state.db.read() as tx:
        schema_version(tx)


def _champion(state: AppState) -> int:
    with state.db.read() as tx:
        return deployments.champion(tx).version_id
