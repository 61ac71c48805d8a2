"""The nightly schedule's cron line: checked, put into one unambiguous form, and its next times.

Five fields: minute, hour, day of month, month, day of week; ``*``, numbers, ranges, lists, steps, and the
names jan-dec and sun-sat. Days of the week are stored by name, since 0 means Sunday to cron and Monday to
some libraries. Day of month and day of week can't both be restricted: cron would take either, others both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from store.errors import InvalidInput

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HORIZON_DAYS = 366 * 8
"""Far enough for 29 February across a century year."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed line. Days of the week count from Sunday = 0."""

    line: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, line: str) -> Cron:
        """Raises InvalidInput saying which field is wrong and what it may hold, or that the line never comes true."""
        fields = line.lower().split()
        if len(fields) != 5:
            raise InvalidInput(
                "a schedule has five fields (minute, hour, day of month, month, day of week), such as 30 2 * * *"
            )
        month_names = {name: number for number, name in enumerate(_MONTHS, 1)}
        day_names = {name: number for number, name in enumerate(_DAYS)}
        minutes = _field("minute", fields[0], 0, 59, {})
        hours = _field("hour", fields[1], 0, 23, {})
        days = _field("day of month", fields[2], 1, 31, {})
        months = _field("month", fields[3], 1, 12, month_names)
        weekdays = frozenset(day % 7 for day in _field("day of week", fields[4], 0, 7, day_names))
        if len(days) < 31 and len(weekdays) < 7:
            raise InvalidInput("restrict the day of the month or the day of the week, not both")
        if not any(min(days) <= _LONGEST[month - 1] for month in months):
            raise InvalidInput(f"{line!r} never comes true")
        named = "*" if len(weekdays) == 7 else ",".join(_DAYS[day] for day in sorted(weekdays))
        return cls(" ".join([*fields[:4], named]), minutes, hours, days, months, weekdays)

    @property
    def weekday_names(self) -> tuple[str, ...]:
        """Sunday first."""
        return tuple(_DAYS[day] for day in sorted(self.weekdays))

    def next(self, after: datetime, count: int, zone: str | None) -> list[datetime]:
        """The next ``count`` times after ``after``, in UTC. A local time that a clock change skips is left out."""
        local = _local(zone)
        start = after.astimezone(ZoneInfo(zone)) if zone else after.astimezone()
        found: list[datetime] = []
        for offset in range(_HORIZON_DAYS):
            day = start.date() + timedelta(days=offset)
            if not self._on(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    moment = local(day, time(hour, minute))
                    if moment is not None and moment > after:
                        found.append(moment)
            found = sorted(found)[:count]
            if len(found) == count:
                break
        return found

    def _on(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays


def _local(zone: str | None) -> Callable[[date, time], datetime | None]:
    """Local date and time → UTC, None where no such local time exists."""
    named = ZoneInfo(zone) if zone else None

    def convert(day: date, at: time) -> datetime | None:
        wanted = datetime.combine(day, at)  # naive on purpose: the zone is applied in the next line
        moment = (wanted.replace(tzinfo=named) if named else wanted.astimezone()).astimezone(UTC)
        back = moment.astimezone(named) if named else moment.astimezone()
        return moment if back.replace(tzinfo=None) == wanted else None

    return convert


def _field(name: str, text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, _, step_text = part.partition("/")
        step = _number(name, step_text, 1, high, {}) if step_text or part.endswith("/") else 1
        if span == "*":
            first, last = low, high
        else:
            first_text, dash, last_text = span.partition("-")
            first = _number(name, first_text, low, high, names)
            last = _number(name, last_text, low, high, names) if dash else (high if step_text else first)
        if last < first:
            raise InvalidInput(f"{name}: {span} runs backwards")
        values.update(range(first, last + 1, step))
    return frozenset(values)


def _number(name: str, text: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names[text] if text in names else int(text) if text.isascii() and text.isdigit() else None
    if value is None or not low <= value <= high:
        raise InvalidInput(f"{name}: {text or 'nothing'!r} is not within {low}-{high}")
    return value
