"""Sign-in and sign-out."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from server.access import OPERATOR, Caller
from server.deps import Guest, State, Who, signing_in
from server.problems import SignInNeeded
from server.schemas.account import SessionForm, SessionState
from server.state import AppState
from store import sessions
from store.errors import InvalidInput
from store.roles import at_least
from store.types import Role

router = APIRouter(prefix="/api/session", tags=["session"])
LIFE = timedelta(hours=12)


@router.get("")
def session_state(who: Who, guest: Guest, state: State) -> SessionState:
    """Who the caller is, what they may do, and how people sign in here."""
    return _state(state, who, guest.actor)


@router.post("", dependencies=[Depends(signing_in)])
def sign_in(form: SessionForm, request: Request, response: Response, state: State) -> SessionState:
    """Exchange the admin token, or the token of a one-time link, for a session cookie."""
    if (form.token is None) == (form.link is None):
        raise InvalidInput("Give either token (the admin token) or link (the token of a one-time link).")
    now = state.clock()
    with state.db.write() as tx:
        if form.token is not None:
            if not sessions.is_admin_token(tx, form.token):
                raise SignInNeeded(
                    "This admin token is not valid; the file admin-token in the data directory holds it."
                )
            actor, role = OPERATOR, Role.ADMIN
        else:
            link = sessions.consume_link(tx, form.link or "", now)
            if link is None:
                raise SignInNeeded("This link has been used or is too old; use the admin token, or restart the server.")
            actor, role = link.actor, Role(link.role)
        token = sessions.rotate(tx, request.cookies.get(state.access.session_cookie), actor, role, LIFE, now)
    give_cookie(response, state, token)
    person = None if actor == OPERATOR else actor
    who = Caller(actor, role, "", logged=True, signed_in=True, expires_at=now + LIFE, person=person)
    return _state(state, who, actor)


@router.delete("", status_code=204)
def sign_out(request: Request, response: Response, state: State) -> None:
    """End the session."""
    token = request.cookies.get(state.access.session_cookie)
    if token:
        with state.db.write() as tx:
            sessions.revoke(tx, token)
    response.delete_cookie(state.access.session_cookie, httponly=True, samesite="strict", secure=state.access.secure)


def give_cookie(response: Response, state: AppState, token: str) -> None:
    """Put a session on a response: for this site only, out of reach of scripts."""
    response.set_cookie(
        state.access.session_cookie,
        token,
        max_age=int(LIFE.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=state.access.secure,
    )


def _state(state: AppState, who: Caller, actor: str) -> SessionState:
    return SessionState(
        signed_in=who.signed_in,
        actor=actor,
        role=who.role,
        expires_at=who.expires_at,
        may_ask=at_least(who.role, Role.USER),
        may_rate=at_least(who.role, Role.RATER),
        ways=state.access.ways,
        person=who.person is not None,
    )
