"""Exactly one job a day: through both nights when clocks change, restarts, several trainers and wrong clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from store import jobs, meta
from store.database import Database, migrate
from store.types import Job, JobKind, JobState
from trainer.schedule import Plan, Schedule, catch_up, insert_due

BERLIN = Plan("30 2 * * *", "Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'rankloop.db'}"
    migrate(url)
    database = Database.open(url)
    yield database
    database.dispose()


def all_jobs(db: Database) -> list[Job]:
    with db.read() as tx:
        return jobs.list_all(tx, limit=1000)


def live_through(db: Database, plan: Plan, start: datetime, end: datetime) -> None:
    """A trainer that runs all the time: each firing of the cron trigger, and a look every ten minutes."""
    catch_up(db, plan, start)
    firings = set(plan.upcoming(start, 12))
    now = start
    while now < end:
        now += timedelta(minutes=10)
        for fires in sorted(one for one in firings if now - timedelta(minutes=10) < one <= now):
            insert_due(db, plan, fires)
        catch_up(db, plan, now)


@pytest.mark.parametrize("day", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 3 * * *", "59 1 * * *"])
def test_a_night_when_clocks_change_has_one_job_as_every_other(db: Database, day: date, cron: str) -> None:
    plan = Plan(cron, "Europe/Berlin")
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    live_through(db, plan, noon - timedelta(days=3), noon + timedelta(days=2))
    nights = Counter(job.created_at.astimezone(plan.zone).date() for job in all_jobs(db))
    assert nights == {day + timedelta(days=offset): 1 for offset in (-2, -1, 0, 1, 2)}


@pytest.mark.parametrize("day", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_a_laptop_that_sleeps_through_a_change_of_clocks_makes_up_for_it_once(db: Database, day: date) -> None:
    evening = datetime(day.year, day.month, day.day, 20, tzinfo=UTC) - timedelta(days=1)
    catch_up(db, BERLIN, evening)
    for minutes in range(0, 600, 10):
        catch_up(db, BERLIN, evening + timedelta(hours=12, minutes=minutes))
    assert len(all_jobs(db)) == 1


def test_trainers_that_restart_at_the_second_it_fires_make_one_job(db: Database) -> None:
    fires = BERLIN.upcoming(datetime(2026, 7, 1, 12, tzinfo=UTC), 1)[0]
    catch_up(db, BERLIN, fires - timedelta(hours=3))

    def start(number: int) -> Job | None:
        return (insert_due if number % 2 else catch_up)(db, BERLIN, fires)

    with ThreadPoolExecutor(8) as pool:
        made = [job for job in pool.map(start, range(24)) if job is not None]
    assert len(made) == 1
    assert len(all_jobs(db)) == 1


def test_a_trainer_started_just_before_or_at_the_second_does_not_miss_it(db: Database) -> None:
    fires = BERLIN.upcoming(datetime(2026, 7, 1, 12, tzinfo=UTC), 1)[0]
    catch_up(db, BERLIN, fires - timedelta(days=1))
    assert len(all_jobs(db)) == 0
    assert catch_up(db, BERLIN, fires - timedelta(seconds=1)) is not None, "last night's was missed"
    assert catch_up(db, BERLIN, fires) is not None
    assert catch_up(db, BERLIN, fires + timedelta(seconds=1)) is None


def test_a_job_that_lasts_longer_than_a_day_delays_the_next_and_doubles_none(db: Database) -> None:
    first = BERLIN.upcoming(datetime(2026, 7, 1, 12, tzinfo=UTC), 1)[0]
    insert_due(db, BERLIN, first)
    lease = timedelta(hours=1)
    running = jobs.claim(db, [JobKind.NIGHTLY], "only", lease, first)
    assert running is not None
    next_night = first + timedelta(days=1)
    assert jobs.heartbeat(db, running.id, "only", lease, next_night).alive
    assert insert_due(db, BERLIN, next_night) is not None
    assert insert_due(db, BERLIN, next_night) is None
    with db.write() as tx:
        jobs.finish(tx, running.id, JobState.SUCCEEDED, {}, None, next_night, owner="only")
    following = jobs.claim(db, [JobKind.NIGHTLY], "only", lease, next_night)
    assert following is not None
    assert following.id != running.id
    assert len(all_jobs(db)) == 2


def looks(db: Database, plan: Plan, start: datetime, end: datetime) -> Counter[date]:
    """Due date → jobs queued by two servers whose clocks are five minutes apart, both looking every six hours."""
    made: Counter[date] = Counter()
    moments = [start + timedelta(hours=6 * number) for number in range((end - start) // timedelta(hours=6) + 1)]
    for moment in (*moments, end):
        for behind in (timedelta(0), timedelta(minutes=5)):
            now = moment - behind
            fires = plan.latest(now)
            if catch_up(db, plan, now) is not None and fires is not None:
                made[fires.astimezone(plan.zone).date()] += 1
    return made


@pytest.mark.parametrize("hours", [36.501, 48, 30 * 24, 30 * 24 + 12.501])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 */6 * * *", "30 2 * * wed"])
def test_after_a_clock_that_was_ahead_every_real_night_has_one_job(db: Database, cron: str, hours: float) -> None:
    """At noon it jumps: to noon, or to seconds after half past two at night."""
    plan, start = Plan(cron, "Europe/Berlin"), datetime(2026, 7, 1, 12, tzinfo=UTC)
    catch_up(db, plan, start)
    ahead = start + timedelta(hours=hours)
    catch_up(db, plan, ahead)
    end = ahead + timedelta(days=2)
    made = looks(db, plan, start + timedelta(minutes=10), end)
    nights = {fires.astimezone(plan.zone).date() for fires in plan.upcoming(start, 200) if fires <= end}
    assert made == dict.fromkeys(nights, 1)


@pytest.mark.parametrize("hours", [6, 14.501, 23, 24])
def test_a_clock_that_was_ahead_by_a_day_at_most_doubles_no_night(db: Database, hours: float) -> None:
    start = datetime(2026, 7, 1, 12, tzinfo=UTC)
    catch_up(db, BERLIN, start)
    early = looks(db, BERLIN, start + timedelta(hours=hours), start + timedelta(hours=hours + 1))
    made = early + looks(db, BERLIN, start + timedelta(minutes=10), start + timedelta(days=5))
    assert made == {date(2026, 7, day): 1 for day in range(2, 7)}


def test_a_clock_that_jumps_ahead_makes_one_job_and_back_again_none(db: Database) -> None:
    start = datetime(2026, 7, 1, 12, tzinfo=UTC)
    catch_up(db, BERLIN, start)
    ahead = start + timedelta(days=30)
    assert catch_up(db, BERLIN, ahead) is not None
    for hours in range(0, 33 * 24, 6):
        made = catch_up(db, BERLIN, start + timedelta(hours=hours))
        assert (made is not None) == (hours % 24 == 18), f"{hours} h: every real night still has its own, once"


def test_a_schedule_that_began_under_a_wrong_clock_is_not_silent_until_then(db: Database) -> None:
    wrong, right = datetime(2031, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)
    catch_up(db, BERLIN, wrong)
    assert catch_up(db, BERLIN, right) is None
    assert catch_up(db, BERLIN, right + timedelta(days=1)) is not None


def test_a_running_schedule_notices_that_the_clock_was_put_back(db: Database) -> None:
    moment = [datetime(2031, 1, 1, tzinfo=UTC)]
    schedule = Schedule(db, BERLIN, lambda: moment[0])
    schedule.start()
    try:
        moment[0] = datetime(2026, 7, 1, 12, tzinfo=UTC)
        schedule.refresh()
        with db.read() as tx:
            announced = meta.get(tx, "schedule_next")
        assert announced == [fires.isoformat() for fires in BERLIN.upcoming(moment[0], 3)]
    finally:
        schedule.stop()
