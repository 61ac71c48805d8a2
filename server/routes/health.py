"""Liveness, readiness, metrics."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server import serving
from server.deps import State
from server.metrics import CONTENT_TYPE
from server.schemas.account import Alive, Ready
from server.state import AppState
from store import deployments
from store.database import schema_version
from store.errors import RankloopError
from store.types import Champion

router = APIRouter(tags=["health"])
OK = "ok"


@router.get("/healthz")
async def healthz(request: Request) -> Alive:
    """The process is alive."""
    return Alive(alive=True, version=request.app.version)


@router.get("/readyz", responses={503: {"model": Ready, "description": "Not ready; the checks say why"}})
def readyz(response: Response, state: State) -> Ready:
    """Database, index and champion are ready (503 otherwise)."""
    champion: list[Champion] = []
    checks = {
        "database": _check(lambda: _database(state)),
        "index": _check(lambda: state.vectors.count()),
        "champion": _check(lambda: champion.append(_champion(state))),
    }
    ready = all(check == OK for check in checks.values())
    if not ready:
        response.status_code = 503
    loaded = state.follower.reranker.current()
    reranks = loaded.scorer is not None and loaded.lost is None
    return Ready(
        ready=ready,
        checks=checks,
        model_version=loaded.version.id,
        champion=champion[0].version_id if champion else None,
        note=serving.behind(state.follower, champion[0], state.clock()) if champion else None,
        engine=loaded.engine.name if reranks else None,
        engine_reason=loaded.engine.reason if reranks else None,
        engine_fault=loaded.engine.fault if reranks else None,
        embedding=state.encoder.told,
    )


@router.get("/metrics", include_in_schema=False)
def metrics(state: State) -> Response:
    """Prometheus metrics."""
    loaded = state.follower.reranker.current()
    state.metrics.serving.set(loaded.version.id)
    state.metrics.engine_fallback.set(1 if loaded.engine.fell_back else 0)
    champion = _champion(state)
    state.metrics.champion.set(champion.version_id)
    state.metrics.degraded.set(0 if serving.behind(state.follower, champion, state.clock()) is None else 1)
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


def _champion(state: AppState) -> Champion:
    with state.db.read() as tx:
        return deployments.champion(tx)
