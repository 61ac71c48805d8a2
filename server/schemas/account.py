"""Bodies of conversations, the repository picker, the session and readiness."""

from __future__ import annotations

from datetime import datetime

from server.schemas.common import Form, Name, View
from server.schemas.rating import ConversationTurn


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

    token: Name | None = None
    link: Name | None = None


class SessionState(View):
    signed_in: bool
    actor: str
    role: str | None
    expires_at: datetime | None


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


class Alive(View):
    alive: bool
    version: str
