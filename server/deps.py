"""What routes depend on: the running server's parts, who calls, and the admin guard."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Request

from server.problems import SignInNeeded
from server.schemas.common import MAX_ID
from server.state import AppState
from store import sessions
from store.errors import Forbidden, InvalidInput, Unavailable
from store.settings import is_loopback

SESSION_COOKIE = "rankloop_session"
ACTOR_COOKIE = "rankloop_actor"
ACTOR_COOKIE_SECONDS = 400 * 24 * 3600
"""The longest that browsers keep a cookie."""
OPERATOR = "admin"
"""Whoever signs in by the admin token or the first link: a role without a name."""
_VISITOR = re.compile(r"visitor-[0-9a-f]{32}")
_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. ``actor`` is None where nothing names them; ``client`` is set where no account or header does."""

    actor: str | None
    role: str | None
    client: str
    logged: bool
    signed_in: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """A caller with a name: their own, or one made for them at this visit."""

    actor: str
    logged: bool


def state_of(request: Request) -> AppState:
    """The running server. Raises Unavailable before it has started."""
    state = getattr(request.app.state, "rankloop", None)
    if not isinstance(state, AppState):
        raise Unavailable("the server is starting; try again in a few seconds")
    return state


State = Annotated[AppState, Depends(state_of)]


def caller(request: Request, state: State) -> Caller:
    """Session, then the header naming an actor (from this machine only), then the visitor's cookie.

    A session by the admin token is no person's account: it lends its role to whoever the rest names, so that
    signing in takes nobody's conversations away and gives nobody a second voice.
    """
    unsigned = _unsigned(request)
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return unsigned
    with state.db.read() as tx:
        session = sessions.lookup(tx, token, state.clock())
    if session is None:
        return unsigned
    if session.actor != OPERATOR:
        unsigned = replace(unsigned, actor=session.actor, client="")
    return replace(unsigned, role=session.role, signed_in=True, expires_at=session.expires_at)


def _unsigned(request: Request) -> Caller:
    client = request.client.host if request.client else ""
    unnamed = Caller(None, None, client, request.headers.get("X-Rankloop-Test") != "1")
    named = request.headers.get("X-Rankloop-User")
    if named and is_loopback(client):
        return replace(unnamed, actor=_checked_name(named), client="")
    cookie = request.cookies.get(ACTOR_COOKIE, "")
    return replace(unnamed, actor=cookie) if _VISITOR.fullmatch(cookie) else unnamed


Who = Annotated[Caller, Depends(caller)]


def visitor(request: Request, who: Who, state: State) -> Visitor:
    """The caller, given a cookie where nothing names them; ``server.guard`` puts it on whatever response follows."""
    if who.actor is not None:
        return Visitor(who.actor, who.logged)
    name = f"visitor-{secrets.token_hex(16)}"
    secure = "; Secure" if state.settings.secure_cookies else ""
    request.state.set_cookie = (
        f"{ACTOR_COOKIE}={name}; Path=/; Max-Age={ACTOR_COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    )
    return Visitor(name, who.logged)


Asker = Annotated[Visitor, Depends(visitor)]


def admin(request: Request, state: State, who: Who) -> str:
    """The administrator's name. Raises SignInNeeded without credentials, Forbidden with those of someone else."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        with state.db.read() as tx:
            if sessions.is_admin_token(tx, token.strip()):
                return _administrator(who)
        raise SignInNeeded("This admin token is not valid; the file admin-token in the data directory holds it.")
    if who.role == "admin":
        return _administrator(who)
    if who.signed_in:
        raise Forbidden("Only administrators may do this.")
    raise SignInNeeded("Sign in with the admin token, or with the link that the server printed when it started.")


Admin = Annotated[str, Depends(admin)]
Id = Annotated[int, Path(ge=0, le=MAX_ID)]
Key = Annotated[str, Path(min_length=1, max_length=200)]


def _administrator(who: Caller) -> str:
    return OPERATOR if who.actor is None or _VISITOR.fullmatch(who.actor) else who.actor


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= _NAME_CHARACTERS or not name.isprintable() or _VISITOR.fullmatch(name):
        raise InvalidInput(f"X-Rankloop-User must be a printable name of 1 to {_NAME_CHARACTERS} characters")
    return name
