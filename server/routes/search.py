"""Search: ranked chunks for a query."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Who
from server.schemas.asking import SearchForm, SearchResult
from store.errors import Unavailable

router = APIRouter(prefix="/api", tags=["ask"])


@router.post("/search")
async def search(form: SearchForm, who: Who) -> SearchResult:
    """Ranked chunks for a query."""
    raise Unavailable("the server is starting")
