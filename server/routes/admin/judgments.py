"""Judgments: each with why it exists; veto, edit, undo."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server.deps import Admin, Key
from server.schemas.data import JudgmentForm, JudgmentPage, JudgmentView
from store.errors import Unavailable
from store.types import PairSource

router = APIRouter(prefix="/judgments")


@router.get("")
def list_judgments(
    admin: Admin,
    repo: Annotated[str | None, Query(max_length=200)] = None,
    source: PairSource | None = None,
    actor: Annotated[str | None, Query(max_length=200)] = None,
    conflict: bool | None = None,
    retired: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> JudgmentPage:
    """Judgments, filtered; ``conflict`` lists contradictions."""
    raise Unavailable("the server is starting")


@router.patch("/{judgment_id}")
def override_judgment(admin: Admin, judgment_id: Key, form: JudgmentForm) -> JudgmentView:
    """Veto a judgment, edit its relevance, or restore what the signals say."""
    raise Unavailable("the server is starting")
