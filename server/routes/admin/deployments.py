"""Promote, roll back, and the ledger of both."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query

from server.deps import Admin, Id, State
from server.schemas.versions import DeploymentView, PromoteForm, RollbackForm
from server.state import AppState
from store import deployments, registry
from store.errors import Conflict, ModelRefused
from store.types import Deployment

router = APIRouter()


@router.post("/models/{version_id}/promote")
def promote(admin: Admin, version_id: Id, form: PromoteForm, state: State) -> DeploymentView:
    """Make a version the champion. Answers once this server serves it."""
    with state.db.write() as tx:
        against = deployments.objection(tx, registry.get(tx, version_id))
        if against and not form.force:
            raise Conflict(f"{against} To promote it all the same, set force and say why.")
        moved = deployments.promote(tx, version_id, admin, form.reason, state.clock(), forced=against is not None)
    return _served(state, moved)


@router.post("/rollback")
def rollback(admin: Admin, form: RollbackForm, state: State) -> DeploymentView:
    """Go back to an earlier champion; pauses automatic promotion. Answers once this server serves it."""
    with state.db.write() as tx:
        moved = deployments.rollback(tx, admin, form.reason, state.clock(), form.to)
    return _served(state, moved)


@router.get("/deployments")
def list_deployments(
    admin: Admin,  # noqa: ARG001
    state: State,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[DeploymentView]:
    """The ledger, newest first."""
    with state.db.read() as tx:
        return [DeploymentView.model_validate(entry) for entry in deployments.ledger(tx, limit)]


def _served(state: AppState, moved: Deployment) -> DeploymentView:
    """Load and swap here; a version that does not load is taken back with a ledger entry of its own."""
    try:
        state.follower.follow()
    except ModelRefused as error:
        with state.db.write() as tx:
            undone = deployments.compensate(tx, moved, f"could not be loaded: {error.message}", state.clock())
        kept = state.follower.reranker.current().version.id
        if undone is not None:
            with suppress(ModelRefused):  # the follower has told it, and goes on trying
                state.follower.follow()
        raise ModelRefused(
            f"Version {moved.to_version} could not be loaded, so version {kept} keeps serving: {error.message}"
        ) from error
    return DeploymentView.model_validate(moved)
