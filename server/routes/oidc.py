"""Sign-in through OpenID Connect: out to the provider and back."""

from __future__ import annotations

import html
from typing import Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from server import problems
from server.deps import State, sent_away, signing_in
from server.oidc import Person, Provider, new_secret
from server.routes.session import LIFE, give_cookie
from server.schemas.common import ErrorBody
from server.state import AppState
from store import sessions
from store.errors import Forbidden, NotFound, RankloopError

router = APIRouter(prefix="/api/session/oidc", tags=["session"])
ATTEMPT_SECONDS = 600
PAGES = {"chat": "/", "admin": "/admin"}
_SENT_BACK = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("code", "state", "iss", "error")]
_FAILED = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Not signed in – Rankloop</title>'
    '<h1>Not signed in</h1><p>{reason}</p><p><a href="/api/session/oidc">Try again</a> · <a href="/">Back</a></p>'
    "</html>"
)


@router.get("", status_code=303, response_class=RedirectResponse, dependencies=[Depends(sent_away)])
def oidc_begin(state: State, to: Literal["chat", "admin"] = "chat") -> Response:
    """Send the browser to the sign-in provider."""
    secret = new_secret()
    away = RedirectResponse(_provider(state).begin(secret, state.clock().timestamp()), 303)
    # Lax, not Strict: the way back comes from the provider's site, and must find the cookie that it began with.
    away.set_cookie(
        _cookie(state),
        f"{to}.{secret}",
        max_age=ATTEMPT_SECONDS,
        httponly=True,
        samesite="lax",
        secure=state.access.secure,
    )
    return away


@router.get(
    "/callback",
    status_code=303,
    response_class=RedirectResponse,
    responses={status: {"model": ErrorBody, "content": {"text/html": {}}} for status in ("4XX", "5XX")},
    openapi_extra={"parameters": _SENT_BACK},
    dependencies=[Depends(signing_in)],
)
def oidc_callback(request: Request, state: State) -> Response:
    """The browser comes back from the sign-in provider: a session, or a page that says why not."""
    to, _, secret = request.cookies.get(_cookie(state), "").partition(".")
    answer: Response
    try:
        person = _provider(state).finish(secret, request.query_params, state.clock().timestamp())
        answer = RedirectResponse(PAGES.get(to, "/"), 303)
        give_cookie(answer, state, _session(state, person, request.cookies.get(state.access.session_cookie)))
    except RankloopError as error:
        page = _FAILED.format(reason=html.escape(error.message))
        answer = HTMLResponse(page, problems.status_of(error), headers=problems.headers_of(error))
    answer.delete_cookie(_cookie(state), httponly=True, samesite="lax", secure=state.access.secure)
    return answer


def _session(state: AppState, person: Person, old: str | None) -> str:
    role = state.access.role_of(person.groups)
    if role is None:
        raise Forbidden("You are signed in, but your groups give you no role here; administrators set RANKLOOP_ROLES.")
    with state.db.write() as tx:
        return sessions.rotate(tx, old, person.name, role, LIFE, state.clock(), sorted(person.groups))


def _provider(state: AppState) -> Provider:
    if state.oidc is None:
        raise NotFound("This server does not sign people in through OpenID Connect.")
    return state.oidc


def _cookie(state: AppState) -> str:
    return "__Host-rankloop_login" if state.access.secure else "rankloop_login"
