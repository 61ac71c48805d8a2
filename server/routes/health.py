"""Liveness, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from server.schemas.account import Alive, Ready
from store.errors import Unavailable

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> Alive:
    """The process is alive."""
    raise Unavailable("the server is starting")


@router.get("/readyz")
def readyz(response: Response) -> Ready:
    """Database, index and champion are ready (503 otherwise)."""
    raise Unavailable("the server is starting")


@router.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Prometheus metrics."""
    raise Unavailable("the server is starting")
