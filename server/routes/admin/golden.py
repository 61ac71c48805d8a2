"""Golden questions: what must be found, whatever is promoted."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from server.deps import Admin, Id, State
from server.schemas.data import GoldenForm, GoldenView
from store import golden, repos
from store.golden import Golden

router = APIRouter(prefix="/golden")


@router.get("")
def list_golden(admin: Admin, state: State) -> list[GoldenView]:  # noqa: ARG001
    """The golden questions, with a warning for each expected place that is not indexed."""
    with state.db.read() as tx:
        return [_view(one, golden.warnings(tx, one)) for one in golden.list_all(tx)]


@router.post("", status_code=201)
def add_golden(admin: Admin, form: GoldenForm, state: State) -> GoldenView:  # noqa: ARG001
    """Add a golden question. Expected places that are not indexed are accepted, with a warning each."""
    with state.db.write() as tx:
        if form.repo is not None:
            repos.get(tx, form.repo)
        added = golden.add(tx, form.query, form.repo, form.expected, state.clock())
        return _view(added, golden.warnings(tx, added))


@router.delete("/{golden_id}", status_code=204)
def delete_golden(admin: Admin, golden_id: Id, state: State) -> None:  # noqa: ARG001
    """Remove a golden question."""
    with state.db.write() as tx:
        golden.remove(tx, golden_id)


def _view(one: Golden, warnings: Sequence[str]) -> GoldenView:
    return GoldenView(id=one.id, query=one.query, repo=one.repo, expected=list(one.expected), warnings=list(warnings))
