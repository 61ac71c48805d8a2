"""Versions: list, show, compare."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server import compare, files, rankings
from server.data_sets import DataSet
from server.deps import Admin, Id, State
from server.schemas.common import MAX_ID
from server.schemas.versions import (
    Comparison,
    DeploymentView,
    MetricRow,
    VersionDetail,
    VersionPage,
    VersionView,
)
from server.state import AppState
from store import deployments, evaluations, registry
from store import overview as figures
from store.types import Version

router = APIRouter(prefix="/models")
Number = Annotated[int, Query(ge=0, le=MAX_ID)]
LEDGER = 10_000


@router.get("")
def list_models(
    admin: Admin,  # noqa: ARG001
    state: State,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Number = 0,
) -> VersionPage:
    """Versions, newest first."""
    with state.db.read() as tx:
        found = registry.list_all(tx, limit, offset)
        total = figures.versions(tx)
    return VersionPage(versions=[VersionView.model_validate(version) for version in found], total=total)


@router.get("/compare")
def compare_models(admin: Admin, state: State, a: Number, b: Number) -> Comparison:  # noqa: ARG001
    """Two versions, metric by metric and query by query."""
    with state.db.read() as tx:
        left, right = registry.get(tx, a), registry.get(tx, b)
    data_sets = _data_sets(state, left, right)
    with state.db.read() as tx:
        pairs = compare.pair(left, right, evaluations.load(tx, a), evaluations.load(tx, b))
        changed = compare.changed(pairs)
        queries = rankings.query_rows(tx, changed, data_sets)
    return Comparison(
        a=VersionView.model_validate(left),
        b=VersionView.model_validate(right),
        metrics=[MetricRow.model_validate(row) for row in compare.metric_rows(pairs)],
        wins=sum(one.difference(compare.HEADLINE) > 0 for one in changed),
        losses=sum(one.difference(compare.HEADLINE) < 0 for one in changed),
        ties=len(pairs) - len(changed),
        queries=queries,
        note=None if pairs else "These two were never measured on the same questions.",
    )


@router.get("/{version_id}")
def get_model(admin: Admin, version_id: Id, state: State) -> VersionDetail:  # noqa: ARG001
    """A version with its model card and manifest."""
    with state.db.read() as tx:
        version = registry.get(tx, version_id)
        ledger = [
            entry for entry in deployments.ledger(tx, LEDGER) if version_id in (entry.to_version, entry.from_version)
        ]
    card, manifest = files.of_version(version, state.settings.models_dir)
    return VersionDetail(
        **VersionView.model_validate(version).model_dump(),
        card=card,
        manifest=manifest,
        deployments=[DeploymentView.model_validate(entry) for entry in ledger],
    )


def _data_sets(state: AppState, a: Version, b: Version) -> list[DataSet]:
    """Of both data sets, the later version's first: its evaluation measured both versions wherever it could."""
    hashes = [one.snapshot_hash for one in sorted((a, b), key=lambda one: -one.id)]
    return [state.data_sets.get(name) for name in hashes if name is not None]
