from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database, migrate


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A migrated SQLite file."""
    url = f"sqlite:///{tmp_path / 'data' / 'rankloop.db'}"
    migrate(url)
    return url


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    database = Database.open(url)
    yield database
    database.dispose()
