"""Versions: list, show, compare."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server.deps import Admin, Id
from server.schemas.common import MAX_ID
from server.schemas.versions import Comparison, VersionDetail, VersionPage
from store.errors import Unavailable

router = APIRouter(prefix="/models")
Number = Annotated[int, Query(ge=0, le=MAX_ID)]


@router.get("")
def list_models(admin: Admin, limit: Annotated[int, Query(ge=1, le=1000)] = 100, offset: Number = 0) -> VersionPage:
    """Versions, newest first."""
    raise Unavailable("the server is starting")


@router.get("/compare")
def compare_models(admin: Admin, a: Number, b: Number) -> Comparison:
    """Two versions, metric by metric and query by query."""
    raise Unavailable("the server is starting")


@router.get("/{version_id}")
def get_model(admin: Admin, version_id: Id) -> VersionDetail:
    """A version with its model card and manifest."""
    raise Unavailable("the server is starting")
