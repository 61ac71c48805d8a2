"""The overview: counts, champion, last jobs, learning curve."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Admin
from server.schemas.overview import Overview
from store.errors import Unavailable

router = APIRouter()


@router.get("/overview")
def overview(admin: Admin) -> Overview:
    """Counts, champion, last jobs, learning curve, what needs a person."""
    raise Unavailable("the server is starting")
