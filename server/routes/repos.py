"""The repository picker."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Reader, State
from server.schemas.account import RepoItem
from store import repos

router = APIRouter(prefix="/api", tags=["ask"])


@router.get("/repos")
def list_repos(reader: Reader, state: State) -> list[RepoItem]:
    """The indexed repositories that the caller may see."""
    with state.db.read() as tx:
        found = repos.list_all(tx)
    return [RepoItem.model_validate(repo) for repo in found if repo.name not in reader.hidden]
