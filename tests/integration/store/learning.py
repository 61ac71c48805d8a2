"""A real, migrated database for the tests of what store keeps about learning."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from store.database import Database, migrate

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def open_database(folder: Path) -> Database:
    url = f"sqlite:///{folder / 'rankloop.db'}"
    migrate(url)
    return Database.open(url)
