"""What the doctor looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rankloop.locks import holder, server_lock, trainer_lock
from store.database import Database
from store.settings import Settings


@dataclass(frozen=True, slots=True)
class Patient:
    settings: Settings
    db: Database

    @property
    def server_runs(self) -> bool:
        return holder(server_lock(self.settings.data)) is not None

    @property
    def trainer_runs(self) -> bool:
        return holder(trainer_lock(self.settings.data)) is not None


@dataclass(frozen=True, slots=True)
class Finding:
    """``ok`` False is a fault; ``advice`` then says what to do, and ``mend``, where there is one, does it."""

    what: str
    ok: bool
    detail: str
    advice: str = ""
    mend: Callable[[], str] | None = None
    """Says what it has done. Raises RankloopError or OSError where it could not."""
