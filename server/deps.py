"""What routes depend on: the running server's parts, who calls, and what they may do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Path, Request

from server.access import OPERATOR, Caller, account_name, checked_name, group_names, is_visitor
from server.limits import Buckets
from server.problems import SignInNeeded, TooMany
from server.schemas.common import MAX_ID
from server.state import AppState
from store import sessions, visibility
from store.errors import Unavailable
from store.settings import is_loopback
from store.types import Role

ACTOR_COOKIE = "rankloop_actor"
ACTOR_COOKIE_SECONDS = 400 * 24 * 3600
"""The longest that browsers keep a cookie."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A caller with a name: their own, or one made for them at this visit. ``hidden``: repositories not for them."""

    actor: str
    logged: bool
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judge:
    """A caller who rates or reads ratings. ``actor`` is None where nothing names them."""

    actor: str | None
    client: str
    logged: bool
    hidden: frozenset[str]


def state_of(request: Request) -> AppState:
    """The running server. Raises Unavailable before it has started."""
    state = getattr(request.app.state, "rankloop", None)
    if not isinstance(state, AppState):
        raise Unavailable("the server is starting; try again in a few seconds")
    return state


State = Annotated[AppState, Depends(state_of)]


def caller(request: Request, state: State) -> Caller:
    """Whom the proxy names, else the session's person, else the local person or a visitor.

    The admin token, and a session made with it, is no person's account: it lends its role to whoever the rest names,
    so that signing in takes nobody's conversations away and gives nobody a second voice. Tokens that nobody knows are
    attempts to sign in, of which an address has a few a minute; where somebody is signed in besides, each counts once,
    since a proxy may pass on a token of its own with every request. Raises TooMany.
    """
    who = _proxied(request, state) or _unsigned(request, state)
    bearer, cookie = _bearer(request), request.cookies.get(state.access.session_cookie)
    if not bearer and not cookie:
        return who
    if bearer:
        _wait_for(state, who, bearer)
    with state.db.read() as tx:
        if bearer and sessions.is_admin_token(tx, bearer):
            return _operator(who, state)
        sent, kept = (sessions.lookup(tx, token, state.clock()) if token else None for token in (bearer, cookie))
    session = sent or kept
    if bearer and sent is None:
        _guessed(state, who, bearer, once=who.person is not None or session is not None)
    if session is None:
        return who
    if session.actor == OPERATOR:
        return replace(_operator(who, state), expires_at=session.expires_at)
    if who.person is not None:
        return who
    return Caller(
        session.actor,
        Role(session.role),
        "",
        who.logged,
        signed_in=True,
        expires_at=session.expires_at,
        groups=frozenset(session.groups),
        person=session.actor,
    )


def _operator(who: Caller, state: AppState) -> Caller:
    actor = who.actor if who.person is not None or state.access.open else OPERATOR
    return replace(who, actor=actor, role=Role.ADMIN, signed_in=True)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _proxied(request: Request, state: AppState) -> Caller | None:
    """The person that a trusted proxy names; ``server.guard`` has taken the header away from everybody else."""
    access = state.access
    named = request.headers.get(access.user_header) if access.user_header else None
    if not named or access.user_header is None:
        return None
    name = account_name(_utf8(named), access.user_header)
    listed = request.headers.get(access.groups_header, "") if access.groups_header else ""
    groups = group_names(_utf8(listed).split(access.groups_separator))
    logged = request.headers.get("X-Rankloop-Test") != "1"
    return Caller(name, access.role_of(groups), "", logged, signed_in=True, groups=groups, person=name)


def _unsigned(request: Request, state: AppState) -> Caller:
    client = request.client.host if request.client else ""
    role = Role.RATER if state.access.open else None
    unnamed = Caller(None, role, client, request.headers.get("X-Rankloop-Test") != "1")
    if not state.access.open:
        return unnamed
    named = request.headers.get("X-Rankloop-User")
    if named and is_loopback(client):
        return replace(unnamed, actor=checked_name(named, "X-Rankloop-User"), client="")
    cookie = request.cookies.get(ACTOR_COOKIE, "")
    return replace(unnamed, actor=cookie) if is_visitor(cookie) else unnamed


Who = Annotated[Caller, Depends(caller)]


def visitor(request: Request, who: Who, state: State) -> Visitor:
    """The caller, given a cookie where nothing names them; ``server.guard`` puts it on whatever response follows.

    Where people sign in nobody gets one: who has not signed in has no name.
    """
    if who.actor is not None or not state.access.open:
        return Visitor(who.actor or "", who.logged)
    name = f"visitor-{secrets.token_hex(16)}"
    secure = "; Secure" if state.access.secure else ""
    request.state.set_cookie = (
        f"{ACTOR_COOKIE}={name}; Path=/; Max-Age={ACTOR_COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    )
    return Visitor(name, who.logged)


Guest = Annotated[Visitor, Depends(visitor)]


def reader(guest: Guest, who: Who, state: State) -> Visitor:
    """Somebody who may ask, and so read what they asked. Raises SignInNeeded, SignInOff or Forbidden."""
    state.access.require(who, Role.USER)
    with state.db.read() as tx:
        return replace(guest, hidden=visibility.hidden(tx, who.viewer))


Reader = Annotated[Visitor, Depends(reader)]


def asker(reader: Reader, who: Who, state: State) -> Visitor:
    """Somebody who asks now. Raises TooMany beside what ``reader`` raises."""
    _take(state, state.limits.asking, who, "questions")
    return reader


Asker = Annotated[Visitor, Depends(asker)]


def judge(who: Who, state: State) -> Judge:
    """Somebody who looks at an answer and its ratings. Raises what ``reader`` raises."""
    state.access.require(who, Role.USER)
    with state.db.read() as tx:
        return Judge(who.actor, who.client, who.logged, visibility.hidden(tx, who.viewer))


Judging = Annotated[Judge, Depends(judge)]


def rater(judge: Judging, who: Who, state: State) -> Judge:
    """Somebody who rates now. Raises SignInNeeded, SignInOff, Forbidden or TooMany."""
    state.access.require(who, Role.RATER)
    _take(state, state.limits.rating, who, "ratings")
    return judge


Rater = Annotated[Judge, Depends(rater)]


def take_search(state: AppState, who: Caller) -> None:
    """A search that is no question of its own costs as much as one. Raises TooMany."""
    _take(state, state.limits.asking, who, "questions")


def signing_in(request: Request, state: State) -> None:
    """Somebody who tries to sign in, whoever they are so far. Raises TooMany."""
    client = request.client.host if request.client else ""
    _take(state, state.limits.signing_in, Caller(None, None, client, logged=True), "attempts to sign in")


def sent_away(request: Request, state: State) -> None:
    """Somebody who is sent to the sign-in provider. Raises TooMany."""
    client = request.client.host if request.client else ""
    _take(state, state.limits.sent_away, Caller(None, None, client, logged=True), "attempts to sign in")


def admin(request: Request, state: State, who: Who) -> str:
    """The administrator's name. Raises SignInNeeded without credentials, Forbidden with those of someone else."""
    if who.role is not Role.ADMIN and _bearer(request) and not who.signed_in:
        raise SignInNeeded("This admin token is not valid; the file admin-token in the data directory holds it.")
    state.access.require(who, Role.ADMIN)
    return OPERATOR if who.actor is None or is_visitor(who.actor) else who.actor


Admin = Annotated[str, Depends(admin)]
Id = Annotated[int, Path(ge=0, le=MAX_ID)]
Key = Annotated[str, Path(min_length=1, max_length=200, json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f]+$"})]


def _wait_for(state: AppState, who: Caller, bearer: str) -> None:
    """Whoever has guessed too many tokens is not told whether the next one is right. Raises TooMany."""
    bucket = state.access.limited(who)
    if bucket is None or state.limits.tried.knows(bucket, sessions.hash_token(bearer)):
        return
    wait = state.limits.signing_in.wait(bucket, state.clock().timestamp())
    if wait:
        raise TooMany(f"Too many attempts to sign in in a short time; try again in {wait} s.", wait)


def _guessed(state: AppState, who: Caller, bearer: str, *, once: bool) -> None:
    """A wrong token is an attempt; ``once``: sent again it is none. Raises TooMany."""
    bucket, fingerprint = state.access.limited(who), sessions.hash_token(bearer)
    if bucket is None or (once and state.limits.tried.knows(bucket, fingerprint)):
        return
    _take(state, state.limits.signing_in, who, "attempts to sign in")
    if once:
        state.limits.tried.add(bucket, fingerprint)


def _take(state: AppState, buckets: Buckets, who: Caller, acts: str) -> None:
    bucket = state.access.limited(who)
    if bucket is None:
        return
    wait = buckets.take(bucket, state.clock().timestamp())
    if wait:
        raise TooMany(f"Too many {acts} in a short time; try again in {wait} s.", wait)


def _utf8(header: str) -> str:
    """A header as UTF-8 where it is: frameworks read headers as latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header
