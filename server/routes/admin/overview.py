"""The overview: counts, champion, last jobs, learning curve."""

from __future__ import annotations

from fastapi import APIRouter

from server.admin_schemas import Overview
from server.deps import Admin
from store.errors import Unavailable

router = APIRouter()


@router.get("/overview")
def overview(admin: Admin) -> Overview:
    """Counts, champion, last jobs, learning curve, what needs a person."""
    raise Unavailable("the server is starting")
