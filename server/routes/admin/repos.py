"""Repositories: add, re-index, remove; files, chunks, what was skipped and why."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Admin, Key
from server.schemas.data import AdminRepo, RepoAccepted, RepoForm
from server.schemas.jobs import JobAccepted
from store.errors import Unavailable

router = APIRouter(prefix="/repos")


@router.get("")
def list_admin_repos(admin: Admin) -> list[AdminRepo]:
    """Repositories with file and chunk counts, and what was skipped."""
    raise Unavailable("the server is starting")


@router.post("", status_code=202)
def add_repo(admin: Admin, form: RepoForm) -> RepoAccepted:
    """Add a directory of the server's machine and index it."""
    raise Unavailable("the server is starting")


@router.post("/{name}/index", status_code=202)
def reindex_repo(admin: Admin, name: Key) -> JobAccepted:
    """Index a repository again; only what changed is embedded."""
    raise Unavailable("the server is starting")


@router.delete("/{name}", status_code=204)
def delete_repo(admin: Admin, name: Key) -> None:
    """Remove a repository from search. What was judged in it is kept."""
    raise Unavailable("the server is starting")
