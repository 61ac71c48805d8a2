"""Sign-in and sign-out."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from server.deps import Who
from server.schemas.account import SessionForm, SessionState
from store.errors import Unavailable

router = APIRouter(tags=["session"])


@router.get("/api/session")
def session_state(who: Who) -> SessionState:
    """Who the caller is."""
    raise Unavailable("the server is starting")


@router.post("/api/session")
def sign_in(form: SessionForm, response: Response) -> SessionState:
    """Exchange the admin token, or the token of a one-time link, for a session cookie."""
    raise Unavailable("the server is starting")


@router.delete("/api/session", status_code=204)
def sign_out(response: Response) -> None:
    """End the session."""
    raise Unavailable("the server is starting")


@router.get("/sign-in", include_in_schema=False)
def sign_in_by_link(link: str) -> RedirectResponse:
    """The one-time link that ``rankloop serve`` prints: signs in and goes on to the admin page."""
    raise Unavailable("the server is starting")
