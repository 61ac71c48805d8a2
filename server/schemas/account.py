"""Bodies of conversations, the repository picker, the session and readiness."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from server.schemas.common import Form, Name, View
from server.schemas.rating import ConversationTurn
from store.types import Role


class ConversationItem(View):
    id: str
    title: str
    repo: str | None
    created_at: datetime
    updated_at: datetime


class ConversationDetail(ConversationItem):
    turns: list[ConversationTurn]


class ConversationForm(Form):
    title: Name


class RepoItem(View):
    name: str
    indexed_at: datetime | None
    files: int
    chunks: int


class SessionForm(Form):
    """Sign in with the admin token or with the token of a one-time link; exactly one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("token", "link")]
        }
    )

    token: Name | None = None
    link: Name | None = None


class SessionState(View):
    signed_in: bool
    actor: str
    """Empty where nobody is signed in and sign-in is needed."""
    role: Role | None
    expires_at: datetime | None
    may_ask: bool
    may_rate: bool
    ways: list[Literal["proxy", "oidc"]]
    """How people sign in here; none where whoever reaches this machine's own address is the local person."""
    person: bool
    """Signed in as a person, not by the admin token."""


class SessionsEnded(View):
    person: str
    ended: int
    """Sessions, tokens and links that were valid until now."""


class Ready(View):
    ready: bool
    checks: dict[str, str]
    """Part → ``ok`` or what is wrong."""
    model_version: int | None
    champion: int | None
    note: str | None
    """Set where another version than the champion serves, with the reason."""
    engine: str | None
    """What computes the rerank scores; null while nothing is reranked."""
    engine_reason: str | None
    """Why that engine and no other."""
    engine_fault: str | None
    """Engines that should serve here and can't, or have failed; null while nothing is to be mended."""
    embedding: str | None
    """What embedded the texts of the last large indexing here, and where that is torch, why; null before one."""


class Alive(View):
    alive: bool
    version: str
