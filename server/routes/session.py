"""Sign-in and sign-out."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.deps import OPERATOR, SESSION_COOKIE, Asker, State, Who
from server.problems import SignInNeeded
from server.schemas.account import SessionForm, SessionState
from store import sessions
from store.errors import InvalidInput

router = APIRouter(prefix="/api/session", tags=["session"])
LIFE = timedelta(days=30)


@router.get("")
def session_state(who: Who, asker: Asker) -> SessionState:
    """Who the caller is."""
    return SessionState(signed_in=who.signed_in, actor=asker.actor, role=who.role, expires_at=who.expires_at)


@router.post("")
def sign_in(form: SessionForm, response: Response, state: State) -> SessionState:
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
            actor, role = OPERATOR, "admin"
        else:
            link = sessions.consume_link(tx, form.link or "", now)
            if link is None:
                raise SignInNeeded("This link has been used or is too old; use the admin token, or restart the server.")
            actor, role = link.actor, link.role
        token = sessions.create(tx, "session", actor, role, LIFE, now)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(LIFE.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=state.settings.secure_cookies,
    )
    return SessionState(signed_in=True, actor=actor, role=role, expires_at=now + LIFE)


@router.delete("", status_code=204)
def sign_out(request: Request, response: Response, state: State) -> None:
    """End the session."""
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        with state.db.write() as tx:
            sessions.revoke(tx, token)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict", secure=state.settings.secure_cookies)
