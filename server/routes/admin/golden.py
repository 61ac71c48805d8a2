"""Golden questions: what must be found, whatever is promoted."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Admin, Id
from server.schemas.data import GoldenForm, GoldenView
from store.errors import Unavailable

router = APIRouter(prefix="/golden")


@router.get("")
def list_golden(admin: Admin) -> list[GoldenView]:
    """The golden questions."""
    raise Unavailable("the server is starting")


@router.post("", status_code=201)
def add_golden(admin: Admin, form: GoldenForm) -> GoldenView:
    """Add a golden question."""
    raise Unavailable("the server is starting")


@router.delete("/{golden_id}", status_code=204)
def delete_golden(admin: Admin, golden_id: Id) -> None:
    """Remove a golden question."""
    raise Unavailable("the server is starting")
