"""What routes depend on: the caller's identity and the admin guard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path

from server.schemas.common import MAX_ID
from store.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. ``actor`` is None where nothing names them."""

    actor: str | None
    role: str | None
    client: str
    logged: bool


def caller() -> Caller:
    raise Unavailable("the server is starting")


def admin() -> str:
    raise Unavailable("the server is starting")


Who = Annotated[Caller, Depends(caller)]
Admin = Annotated[str, Depends(admin)]
Id = Annotated[int, Path(ge=0, le=MAX_ID)]
Key = Annotated[str, Path(min_length=1, max_length=200)]
