"""Ratings that are held back because one account gave too many at once."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Admin, State
from server.schemas.data import BurstForm, BurstView, HeldBack
from server.state import AppState
from store import quarantine
from store.bursts import Burst, Fate, Limit
from store.database import Connection

router = APIRouter(prefix="/quarantine")


@router.get("")
def list_bursts(admin: Admin, state: State) -> HeldBack:  # noqa: ARG001
    """Bursts of ratings, newest first: held back, released or left out, and by whom."""
    with state.db.read() as tx:
        return _all(tx, state)


@router.post("")
def decide_burst(admin: Admin, form: BurstForm, state: State) -> HeldBack:
    """Release a burst's ratings, or leave them out for good. The latest decision is in force."""
    fate = Fate.RELEASED if form.action == "release" else Fate.LEFT_OUT
    with state.db.write() as tx:
        span = (form.account, form.first_signal, form.last_signal)
        quarantine.decide(tx, _limit(state), *span, fate, admin, form.reason, state.clock())
        return _all(tx, state)


def _limit(state: AppState) -> Limit:
    return Limit(state.settings.burst_signals, state.settings.burst_minutes)


def _all(tx: Connection, state: AppState) -> HeldBack:
    limit = _limit(state)
    return HeldBack(
        signals=limit.signals, minutes=limit.minutes, bursts=[_view(one) for one in quarantine.found(tx, limit)]
    )


def _view(burst: Burst) -> BurstView:
    said = burst.decision
    return BurstView(
        account=burst.account,
        signals=burst.counted,
        first_signal=burst.signal_ids[0],
        last_signal=burst.signal_ids[-1],
        began=burst.began,
        ended=burst.ended,
        fate=burst.fate,
        decided_by=said.actor if said else None,
        decided_at=said.created_at if said else None,
        reason=said.reason if said else "",
    )
