"""The schedule as the admin page shows and changes it; ``store/schedule.py`` says how it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.cron import Cron
from store.schedule import KEY as KEY
from store.schedule import chosen_promotion
from store.settings import Settings
from store.types import Champion

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """When the nightly job is due, and whether what it proves is promoted by itself."""

    cron: Cron
    auto_promote: bool
    zone: str | None

    def promotes(self, champion: Champion) -> bool:
        """Does the gate's decision move this champion without a person?"""
        return self.auto_promote and champion.auto_promote

    def paused(self, champion: Champion) -> bool:
        """Chosen, but stopped by a rollback until a person resumes it."""
        return self.auto_promote and not champion.auto_promote

    def next(self, now: datetime) -> list[datetime]:
        """The next three times, UTC."""
        return self.cron.next(now, SHOWN, self.zone)


def read(stored: object, settings: Settings) -> Plan:
    """The plan in a stored value, the settings' where there is none."""
    found = stored if isinstance(stored, dict) else {}
    line = str(found.get("cron", settings.nightly_cron))
    return Plan(Cron.parse(line), chosen_promotion(stored, settings), settings.timezone)


def changed(stored: object, cron: str | None, auto_promote: bool | None) -> dict[str, object]:
    """The value to store once what is given is changed. Raises InvalidInput for a line that is wrong or never true."""
    kept = stored if isinstance(stored, dict) else {}
    given = {"cron": None if cron is None else Cron.parse(cron).line, "auto_promote": auto_promote}
    return {**kept, **{name: value for name, value in given.items() if value is not None}}
