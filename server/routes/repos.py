"""The repository picker."""

from __future__ import annotations

from fastapi import APIRouter

from server.schemas.account import RepoItem
from store.errors import Unavailable

router = APIRouter(prefix="/api", tags=["ask"])


@router.get("/repos")
def list_repos() -> list[RepoItem]:
    """The indexed repositories."""
    raise Unavailable("the server is starting")
