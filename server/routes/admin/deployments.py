"""Promote, roll back, and the ledger of both."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server.deps import Admin, Id
from server.schemas.versions import DeploymentView, PromoteForm, RollbackForm
from store.errors import Unavailable

router = APIRouter()


@router.post("/models/{version_id}/promote")
def promote(admin: Admin, version_id: Id, form: PromoteForm) -> DeploymentView:
    """Make a version the champion. Answers once this server serves it."""
    raise Unavailable("the server is starting")


@router.post("/rollback")
def rollback(admin: Admin, form: RollbackForm) -> DeploymentView:
    """Go back to an earlier champion; pauses automatic promotion. Answers once this server serves it."""
    raise Unavailable("the server is starting")


@router.get("/deployments")
def list_deployments(admin: Admin, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[DeploymentView]:
    """The ledger, newest first."""
    raise Unavailable("the server is starting")
