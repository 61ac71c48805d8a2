from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import jobs, meta
from store.cron import Cron
from store.database import Database, migrate
from store.errors import InvalidInput
from store.types import JobKind
from trainer.schedule import Plan, Schedule, catch_up, insert_due

BERLIN = Plan("30 2 * * *", "Europe/Berlin")


@pytest.fixture
def db(tmp_path: Path) -> Database:
    url = f"sqlite:///{tmp_path / 'rankloop.db'}"
    migrate(url)
    return Database.open(url)


def due_dates(db: Database) -> int:
    with db.read() as tx:
        return len(jobs.list_all(tx))


def test_the_autumn_night_makes_one_job(db: Database) -> None:
    """On 25 October 2026 02:30 comes twice in Berlin: at 00:30 and at 01:30 UTC."""
    once, twice = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert once.astimezone(BERLIN.zone).time() == twice.astimezone(BERLIN.zone).time()
    assert insert_due(db, BERLIN, once) is not None
    assert insert_due(db, BERLIN, twice) is None
    assert due_dates(db) == 1


def test_the_spring_night_without_half_past_two_is_not_skipped() -> None:
    dates = {
        fires.astimezone(BERLIN.zone).date() for fires in BERLIN.upcoming(datetime(2026, 3, 27, 12, tzinfo=UTC), 4)
    }
    assert len(dates) >= 3


def test_due_dates_are_local() -> None:
    late = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert BERLIN.due(late) == "nightly:2026-07-02"
    assert Plan("30 2 * * *", "UTC").due(late) == "nightly:2026-07-01"


def test_a_firing_after_midnight_is_the_date_it_was_meant_for(db: Database) -> None:
    made = insert_due(db, Plan("59 23 * * *", "UTC"), datetime(2026, 7, 2, 0, 0, 5, tzinfo=UTC))
    assert made is not None
    with db.write() as tx:
        again = jobs.enqueue(tx, JobKind.NIGHTLY, {}, "ann", made.created_at, due="nightly:2026-07-01")
    assert again is None, "it took that date"


@pytest.mark.parametrize("line", ["30 2 * * 0", "30 2 * * 7", "30 2 * * 5-7", "0 4 */31 * *", "5-6/9 3 * */12 *"])
def test_the_trainer_fires_when_the_page_says(line: str) -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert Plan(line, "UTC").upcoming(now) == Cron.parse(line).next(now, 3, "UTC")


def test_a_night_that_was_slept_through_is_made_up_for_once(db: Database) -> None:
    start = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert catch_up(db, BERLIN, start) is None, "nothing was missed before the schedule began"
    assert catch_up(db, BERLIN, start + timedelta(hours=1)) is None
    woken = start + timedelta(days=3)
    made = catch_up(db, BERLIN, woken)
    assert made is not None
    assert catch_up(db, BERLIN, woken + timedelta(minutes=10)) is None
    assert due_dates(db) == 1, "the latest missed date, not one for every night"


@pytest.mark.parametrize(("cron", "days"), [("0 3 * * mon", 7), ("0 3 1 * *", 31), ("0 3 1 1 *", 366)])
def test_the_latest_date_is_found_however_rare(cron: str, days: int) -> None:
    now = datetime(2026, 7, 1, 2, tzinfo=UTC)
    latest = Plan(cron, "UTC").latest(now)
    assert latest is not None
    assert timedelta(0) <= now - latest <= timedelta(days=days)
    assert Plan(cron, "UTC").upcoming(latest - timedelta(seconds=1), 1) == [latest]


@pytest.mark.parametrize("plan", [Plan("whenever", None), Plan("99 2 * * *", None), Plan("30 2 * * *", "Mars/Base")])
def test_a_wrong_schedule_is_refused(plan: Plan) -> None:
    with pytest.raises(InvalidInput):
        plan.trigger()


def test_what_the_admin_page_sets_is_followed_and_announced(db: Database) -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    schedule = Schedule(db, BERLIN, lambda: now)
    schedule.start()
    try:
        with db.write() as tx:
            meta.put(tx, "schedule", {"cron": "15 4 * * *", "timezone": "UTC"})
        assert schedule.refresh() == Plan("15 4 * * *", "UTC")
        with db.read() as tx:
            announced = meta.get(tx, "schedule_next")
        assert announced == [datetime(2026, 7, day, 4, 15, tzinfo=UTC).isoformat() for day in (2, 3, 4)]
        with db.write() as tx:
            meta.put(tx, "schedule", {"cron": "nonsense"})
        assert schedule.refresh() == Plan("15 4 * * *", "UTC"), "a wrong one changes nothing"
    finally:
        schedule.stop()
