"""The schedule as stored: ``meta["schedule"]`` = ``{"cron", "auto_promote"}``, which the trainer reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from server.cron import Cron
from store.errors import InvalidInput
from store.settings import Settings

KEY = "schedule"
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """When the nightly job is due, and whether what it proves is promoted by itself."""

    cron: Cron
    auto_promote: bool
    zone: str | None

    def next(self, now: datetime) -> list[datetime]:
        """The next three times, UTC."""
        return self.cron.next(now, SHOWN, self.zone)


def read(stored: object, settings: Settings) -> Plan:
    """The plan in a stored value, the settings' where there is none."""
    found = stored if isinstance(stored, dict) else {}
    line = str(found.get("cron", settings.nightly_cron))
    return Plan(Cron.parse(line), bool(found.get("auto_promote", settings.auto_promote)), settings.timezone)


def changed(
    stored: object, settings: Settings, cron: str | None, auto_promote: bool | None, now: datetime
) -> dict[str, object]:
    """The value to store once what is given is changed. Raises InvalidInput for a line that is wrong or never true."""
    plan = read(stored, settings)
    if cron is not None:
        plan = replace(plan, cron=Cron.parse(cron))
    if auto_promote is not None:
        plan = replace(plan, auto_promote=auto_promote)
    if not plan.next(now):
        raise InvalidInput(f"{plan.cron.line!r} never comes true")
    kept = stored if isinstance(stored, dict) else {}
    return {**kept, "cron": plan.cron.line, "auto_promote": plan.auto_promote}
