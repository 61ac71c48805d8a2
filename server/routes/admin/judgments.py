"""Judgments: each with why it exists; veto, edit, undo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query

from server.deps import Admin, Key, State
from server.schemas.data import JudgmentForm, JudgmentPage, JudgmentView, OverrideView
from store import chunks, judgments, texts
from store.judgments import Override
from store.types import Chunk, Judgment, PairSource

router = APIRouter(prefix="/judgments")


@router.get("")
def list_judgments(
    admin: Admin,  # noqa: ARG001
    state: State,
    search: Annotated[str | None, Query(max_length=200)] = None,
    source: PairSource | None = None,
    strong: bool | None = None,
    conflict: bool | None = None,
    retired: bool | None = None,
    vetoed: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> JudgmentPage:
    """Judgments, filtered; ``search`` is a part of the question, ``conflict`` lists contradictions."""
    with state.db.read() as tx:
        found, total = judgments.list_page(
            tx,
            search=search,
            source=source,
            strong=strong,
            conflict=conflict,
            retired=retired,
            vetoed=vetoed,
            limit=limit,
            offset=offset,
        )
        places = chunks.get(tx, {judgment.chunk_id for judgment in found if judgment.chunk_id is not None})
        judged = texts.get(tx, {judgment.content_hash for judgment in found})
        decided = judgments.overrides(tx)
    return JudgmentPage(judgments=[_view(judgment, places, judged, decided) for judgment in found], total=total)


@router.patch("/{judgment_id}")
def override_judgment(admin: Admin, judgment_id: Key, form: JudgmentForm, state: State) -> JudgmentView:
    """Veto a judgment, edit its relevance, or restore what the signals say."""
    with state.db.write() as tx:
        judgments.override(tx, judgment_id, form.action, form.relevance, admin, form.reason, state.clock())
        judgment = judgments.get(tx, judgment_id)
        places = chunks.get(tx, [] if judgment.chunk_id is None else [judgment.chunk_id])
        judged = texts.get(tx, [judgment.content_hash])
        return _view(judgment, places, judged, judgments.overrides(tx))


def _view(
    judgment: Judgment, places: Mapping[int, Chunk], judged: Mapping[str, str], decided: Mapping[str, Override]
) -> JudgmentView:
    place = None if judgment.chunk_id is None else places.get(judgment.chunk_id)
    override = decided.get(judgment.id)
    return JudgmentView(
        id=judgment.id,
        group_id=judgment.group_id,
        query=judgment.query,
        content_hash=judgment.content_hash,
        chunk_id=judgment.chunk_id,
        relevance=judgment.relevance,
        weight=judgment.weight,
        strong=judgment.strong,
        sources=list(judgment.sources),
        reasons=list(judgment.reasons),
        signal_ids=list(judgment.signal_ids),
        actors=list(judgment.actors),
        conflict=judgment.conflict,
        vetoed=judgment.vetoed,
        retired=judgment.retired,
        repo=None if place is None else place.repo,
        path=None if place is None else place.path,
        symbol=None if place is None else place.symbol,
        start_line=None if place is None else place.start_line,
        end_line=None if place is None else place.end_line,
        text=judged.get(judgment.content_hash, ""),
        override=None if override is None else OverrideView.model_validate(override),
    )
