"""People who are signed in: end it for one of them."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Admin, Key, State
from server.schemas.account import SessionsEnded
from store import sessions

router = APIRouter(prefix="/people")


@router.delete("/{person:path}/sessions")
def end_sessions(admin: Admin, person: Key, state: State) -> SessionsEnded:  # noqa: ARG001
    """End all sessions, scripts' tokens and unused links of a person; ``admin`` is whoever used the admin token."""
    with state.db.write() as tx:
        return SessionsEnded(person=person, ended=sessions.revoke_all(tx, person, state.clock()))
