"""Versions: list, show, compare."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server import compare, files
from server.deps import Admin, Id, State
from server.schemas.common import MAX_ID
from server.schemas.versions import (
    Comparison,
    DeploymentView,
    MetricRow,
    QueryRow,
    RankedText,
    VersionDetail,
    VersionPage,
    VersionView,
)
from store import chunks, deployments, evaluations, registry
from store import overview as figures
from store.types import Chunk

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
        pairs = compare.pair(left, right, evaluations.load(tx, a), evaluations.load(tx, b))
        changed = compare.changed(pairs)
        known = chunks.by_hash(tx, {text for one in changed for row in (one.a, one.b) for text in row.ranking})
    return Comparison(
        a=VersionView.model_validate(left),
        b=VersionView.model_validate(right),
        metrics=[MetricRow.model_validate(row) for row in compare.metric_rows(pairs)],
        wins=sum(one.difference(compare.HEADLINE) > 0 for one in changed),
        losses=sum(one.difference(compare.HEADLINE) < 0 for one in changed),
        ties=len(pairs) - len(changed),
        queries=[_query(one, known) for one in changed],
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


def _query(one: compare.Paired, known: dict[str, list[Chunk]]) -> QueryRow:
    return QueryRow(
        group_id=one.a.group_id,
        query=one.a.query,
        evidence=one.a.evidence,
        a=one.a.metrics[compare.HEADLINE],
        b=one.b.metrics[compare.HEADLINE],
        difference=one.difference(compare.HEADLINE),
        ranking_a=[_text(text, known) for text in one.a.ranking],
        ranking_b=[_text(text, known) for text in one.b.ranking],
    )


def _text(content_hash: str, known: dict[str, list[Chunk]]) -> RankedText:
    places = known.get(content_hash)
    if not places:
        return RankedText(content_hash=content_hash)
    return RankedText.model_validate(places[0])
