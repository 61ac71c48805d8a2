"""Data sets and their pairs: what a version was trained on, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from server.data_sets import PairFilter, chosen
from server.deps import Admin, State
from server.judged import pair_views
from server.routes.admin.judgments import BATCH, LINES
from server.routes.streaming import JsonLines
from server.schemas.data import DataSetView, PairListQuery, PairPage, PairQuery, PairView
from server.state import AppState
from store import chunks, general, registry, snapshots
from store.database import Connection
from store.snapshots import SnapshotHead
from store.types import Pair

router = APIRouter()
SHOWN = 50
"""Data sets that can be chosen from."""


@router.get("/data-sets")
def list_data_sets(admin: Admin, state: State) -> list[DataSetView]:  # noqa: ARG001
    """The latest data sets, newest first, with the versions that learned from each."""
    with state.db.read() as tx:
        return [_view(tx, head) for head in snapshots.heads(tx, SHOWN)]


@router.get("/pairs")
def list_pairs(admin: Admin, state: State, wanted: Annotated[PairListQuery, Query()]) -> PairPage:  # noqa: ARG001
    """The pairs of a data set, filtered, by question."""
    head, found = _choose(state, wanted)
    if head is None:
        return PairPage(data_set=None, size=0, positives=0, pairs=[], total=0)
    every = state.data_sets.get(head.hash).pairs
    page = found[wanted.offset : wanted.offset + wanted.limit]
    with state.db.read() as tx:
        return PairPage(
            data_set=_view(tx, head),
            size=len(every),
            positives=sum(pair.label > 0.5 for pair in every),
            pairs=pair_views(tx, page, wanted.repo),
            total=len(found),
        )


@router.get("/pairs/export", response_class=StreamingResponse, responses=LINES)
def export_pairs(admin: Admin, state: State, wanted: Annotated[PairQuery, Query()]) -> JsonLines:  # noqa: ARG001
    """The pairs that the filters select, one JSON object a line, in the list's order."""
    head, found = _choose(state, wanted)
    return JsonLines(_read(state, found, wanted.repo), f"pairs-{'none' if head is None else head.hash[:12]}")


def _choose(state: AppState, wanted: PairQuery) -> tuple[SnapshotHead | None, list[Pair]]:
    """Raises NotFound for a data set that is not there."""
    with state.db.read() as tx:
        newest = [snapshots.head(tx, wanted.data_set)] if wanted.data_set else snapshots.heads(tx, 1)
        texts = None if wanted.repo is None else chunks.hashes_in(tx, wanted.repo)
        questions = set() if wanted.repo is None else general.queries_in(tx, wanted.repo)
    if not newest:
        return None, []
    pairs = state.data_sets.get(newest[0].hash).pairs
    return newest[0], chosen(pairs, PairFilter(wanted.search, wanted.source, wanted.relevant, texts, questions))


def _view(tx: Connection, head: SnapshotHead) -> DataSetView:
    return DataSetView(hash=head.hash, created_at=head.created_at, versions=registry.trained_on(tx, head.hash))


def _read(state: AppState, found: list[Pair], repo: str | None) -> Iterator[list[PairView]]:
    for start in range(0, len(found), BATCH):
        with state.db.read() as tx:
            yield pair_views(tx, found[start : start + BATCH], repo)
