"""The repository picker."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import State
from server.schemas.account import RepoItem
from store import repos

router = APIRouter(prefix="/api", tags=["ask"])


@router.get("/repos")
def list_repos(state: State) -> list[RepoItem]:
    """The indexed repositories."""
    with state.db.read() as tx:
        return [RepoItem.model_validate(repo) for repo in repos.list_all(tx)]
