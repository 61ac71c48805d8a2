"""The nightly job's schedule, and automatic or manual promotion."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Admin
from server.schemas.jobs import ScheduleForm, ScheduleView
from store.errors import Unavailable

router = APIRouter(prefix="/schedule")


@router.get("")
def get_schedule(admin: Admin) -> ScheduleView:
    """Cron line, promotion mode and the next three times."""
    raise Unavailable("the server is starting")


@router.put("")
def put_schedule(admin: Admin, form: ScheduleForm) -> ScheduleView:
    """Change the schedule or the promotion mode."""
    raise Unavailable("the server is starting")
