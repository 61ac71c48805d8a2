"""The nightly schedule: a cron trigger whose only act is to insert a job row, unique per local date.

The row's ``due`` ("nightly:2026-11-21") makes a second firing in the autumn night, or a second trainer, harmless. A due
date that passed while nothing ran is inserted at start and every ten minutes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from threading import Lock
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]

from store import jobs, meta
from store.cron import Cron
from store.database import Database
from store.errors import InvalidInput
from store.types import Job, JobKind

logger = logging.getLogger(__name__)

CATCH_UP_MINUTES = 10
CLOCK_SLACK = timedelta(minutes=1)
"""A clock that is put back by more than this starts the waiting for the next time anew."""
_KEY, _NEXT, _SINCE = "schedule", "schedule_next", "schedule_since"
_LOOK_BACK = tuple(timedelta(days=days) for days in (1, 8, 32, 367))


@dataclass(frozen=True, slots=True)
class Plan:
    """When the nightly job is due: a five-field cron line, as ``store/cron.py`` reads it, in a time zone."""

    cron: str
    timezone: str | None
    """IANA name; None is the machine's own."""

    def trigger(self) -> CronTrigger:
        """Raises InvalidInput saying what is wrong."""
        try:
            zone = ZoneInfo(self.timezone) if self.timezone else None
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise InvalidInput(f"{self.timezone!r} is no time zone: {error}") from error
        cron = Cron.parse(self.cron)
        return CronTrigger(
            minute=_listed(cron.minutes),
            hour=_listed(cron.hours),
            day=_listed(cron.days),
            month=_listed(cron.months),
            day_of_week=",".join(cron.weekday_names),
            timezone=zone,
        )

    @property
    def zone(self) -> tzinfo:
        zone = self.trigger().timezone
        assert isinstance(zone, tzinfo)
        return zone

    def upcoming(self, now: datetime, count: int = 3) -> list[datetime]:
        """The next times it fires, at most ``count``."""
        times: list[datetime] = []
        trigger = self.trigger()
        fires = trigger.get_next_fire_time(None, now)
        while fires is not None and len(times) < count:
            times.append(fires)
            fires = _following(trigger, fires)
        return times

    def latest(self, now: datetime) -> datetime | None:
        """The last time at or before ``now`` that it fired or should have, up to a year back."""
        trigger = self.trigger()
        for span in _LOOK_BACK:
            found: datetime | None = None
            fires = trigger.get_next_fire_time(None, now - span)
            while fires is not None and fires <= now:
                found, fires = fires, _following(trigger, fires)
            if found is not None:
                return found
        return None

    def due(self, fires: datetime) -> str:
        return f"nightly:{fires.astimezone(self.zone).date().isoformat()}"


def _following(trigger: CronTrigger, fires: datetime) -> datetime | None:
    """Counted in UTC: a local sum forgets which of the autumn night's two hours it is in, and never gets past it."""
    found: datetime | None = trigger.get_next_fire_time(None, fires.astimezone(UTC) + timedelta(seconds=1))
    return found


def _listed(values: frozenset[int]) -> str:
    return ",".join(map(str, sorted(values)))


def insert_due(db: Database, plan: Plan, now: datetime) -> Job | None:
    """Queue the job of the latest due date (yesterday's, for a firing after midnight); None when it has one."""
    due = plan.due(plan.latest(now) or now)
    with db.write() as tx:
        return jobs.enqueue(tx, JobKind.NIGHTLY, {}, "schedule", now, due=due)


def catch_up(db: Database, plan: Plan, now: datetime) -> Job | None:
    """Queue the latest due date if it was missed. Dates before the schedule began are not missed."""
    with db.write() as tx:
        since = meta.get(tx, _SINCE)
        if since is None or datetime.fromisoformat(str(since)) > now:  # the clock has been put back
            meta.put(tx, _SINCE, now.isoformat())
            return None
        fires = plan.latest(now)
        if fires is None or fires < datetime.fromisoformat(str(since)):
            return None
        return jobs.enqueue(tx, JobKind.NIGHTLY, {}, "schedule", now, due=plan.due(fires))


class Schedule:
    """The running schedule. ``refresh`` is called now and then: it follows what the admin page has set."""

    def __init__(self, db: Database, default: Plan, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._default = default
        self._clock = clock
        self._plan: Plan | None = None
        self._looked = clock()
        self._lock = Lock()
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})

    def start(self) -> None:
        """Begin to fire, and insert what was missed."""
        self.refresh()
        self._check_now_and_then()
        self._scheduler.start()
        self._catch_up()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def refresh(self) -> Plan:
        """Take over a changed schedule. One that is not valid is logged and the one before stays."""
        with self._lock:
            with self._db.read() as tx:
                wanted = _stored(meta.get(tx, _KEY), self._default)
            back = self._clock_put_back()
            if wanted == self._plan and not back:
                return wanted
            try:
                trigger = wanted.trigger()
            except InvalidInput as error:
                logger.warning("%s; keeping %s", error.message, (self._plan or self._default).cron)
                wanted = self._plan or self._default
                trigger = wanted.trigger()
            if wanted != self._plan or back:
                self._take(wanted, trigger)
            if back and self._scheduler.running:
                self._check_now_and_then()
            return wanted

    def _clock_put_back(self) -> bool:
        """Whether the clock went back since the last look: the scheduler would wait for times of the clock before."""
        now, before = self._clock(), self._looked
        self._looked = now
        return before - now > CLOCK_SLACK

    def _check_now_and_then(self) -> None:
        self._scheduler.add_job(
            self._catch_up, "interval", minutes=CATCH_UP_MINUTES, id="catch-up", replace_existing=True
        )

    def _take(self, plan: Plan, trigger: CronTrigger) -> None:
        changed, self._plan = self._plan is not None, plan
        self._scheduler.add_job(
            self._fire, trigger, id="nightly", replace_existing=True, misfire_grace_time=CATCH_UP_MINUTES * 60
        )
        self._announce(plan, changed)

    def _announce(self, plan: Plan, changed: bool = False) -> None:
        now = self._clock()
        with self._db.write() as tx:
            meta.put(tx, _NEXT, [fires.isoformat() for fires in plan.upcoming(now)])
            if changed:
                meta.put(tx, _SINCE, now.isoformat())

    def _fire(self) -> None:
        plan, now = self.refresh(), self._clock()
        insert_due(self._db, plan, now)
        self._announce(plan)

    def _catch_up(self) -> None:
        plan = self.refresh()
        catch_up(self._db, plan, self._clock())
        self._announce(plan)


def _stored(value: object, default: Plan) -> Plan:
    """The plan in ``meta["schedule"]``: ``{"cron": …, "timezone": …}`` or a bare cron line."""
    if isinstance(value, str):
        return Plan(value, default.timezone)
    if isinstance(value, dict) and isinstance(value.get("cron"), str):
        zone = value.get("timezone", default.timezone)
        return Plan(value["cron"], zone if isinstance(zone, str) else None)
    return default
