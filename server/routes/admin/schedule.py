"""The nightly job's schedule, and automatic or manual promotion."""

from __future__ import annotations

from fastapi import APIRouter

from server import plan
from server.deps import Admin, State
from server.schemas.jobs import ScheduleForm, ScheduleView
from server.state import AppState
from store import deployments, meta

router = APIRouter(prefix="/schedule")


@router.get("")
def get_schedule(admin: Admin, state: State) -> ScheduleView:  # noqa: ARG001
    """Cron line, promotion mode and the next three times."""
    return _view(state)


@router.put("")
def put_schedule(admin: Admin, form: ScheduleForm, state: State) -> ScheduleView:  # noqa: ARG001
    """Change the schedule or the promotion mode; choosing automatic promotion resumes it after a rollback."""
    with state.db.write() as tx:
        meta.put(tx, plan.KEY, plan.changed(meta.get(tx, plan.KEY), form.cron, form.auto_promote))
        if form.auto_promote is not None:
            deployments.set_auto_promote(tx, form.auto_promote)
    return _view(state)


def _view(state: AppState) -> ScheduleView:
    with state.db.read() as tx:
        found = plan.read(meta.get(tx, plan.KEY), state.settings)
        champion = deployments.champion(tx)
    return ScheduleView(
        cron=found.cron.line,
        auto_promote=found.auto_promote,
        paused=found.paused(champion),
        timezone=state.settings.timezone or "the server's own",
        next=found.next(state.clock()),
    )
