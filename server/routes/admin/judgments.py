"""Judgments: each with why it exists; veto, edit, undo; export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from server.deps import Admin, Key, State
from server.judged import judgment_views
from server.routes.streaming import JsonLines
from server.schemas.data import (
    ActorCount,
    JudgmentForm,
    JudgmentListQuery,
    JudgmentPage,
    JudgmentQuery,
    JudgmentView,
)
from server.state import AppState
from store import judgments
from store.batches import batches

router = APIRouter(prefix="/judgments")
BATCH = 250
LINES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}, "description": "One object a line"}
}


@router.get("")
def list_judgments(admin: Admin, state: State, wanted: Annotated[JudgmentListQuery, Query()]) -> JudgmentPage:  # noqa: ARG001
    """Judgments, filtered, by question."""
    with state.db.read() as tx:
        found, total = judgments.list_page(tx, limit=wanted.limit, offset=wanted.offset, **wanted.filters())
        return JudgmentPage(judgments=judgment_views(tx, found), total=total)


@router.get("/actors")
def list_actors(admin: Admin, state: State) -> list[ActorCount]:  # noqa: ARG001
    """Whose signals the judgments rest on, the 200 with most of them."""
    with state.db.read() as tx:
        return [ActorCount(actor=name, judgments=n) for name, n in judgments.actors(tx)]


@router.get("/export", response_class=StreamingResponse, responses=LINES)
def export_judgments(admin: Admin, state: State, wanted: Annotated[JudgmentQuery, Query()]) -> JsonLines:  # noqa: ARG001
    """The judgments that the filters select, one JSON object a line, in the list's order."""
    with state.db.read() as tx:
        ids = judgments.ids(tx, **wanted.filters())
    return JsonLines(_read(state, ids), f"judgments-{state.clock():%Y-%m-%d}")


@router.patch("/{judgment_id}")
def override_judgment(admin: Admin, judgment_id: Key, form: JudgmentForm, state: State) -> JudgmentView:
    """Veto a judgment, edit its relevance, or restore what the signals say."""
    with state.db.write() as tx:
        judgments.override(tx, judgment_id, form.action, form.relevance, admin, form.reason, state.clock())
        return judgment_views(tx, [judgments.get(tx, judgment_id)])[0]


def _read(state: AppState, ids: list[str]) -> Iterator[list[JudgmentView]]:
    """A short transaction a batch, so that a slow reader holds nothing open; what is gone by then is left out."""
    for batch in batches(ids, BATCH):
        with state.db.read() as tx:
            yield judgment_views(tx, judgments.of_ids(tx, batch))
