from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import manifest
from store.database import Database, migrate
from store.scorer import Scorer
from tests import tiny


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file, migrated once: each test works on its own copy."""
    file = tmp_path_factory.mktemp("migrated") / "rankloop.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def url(tmp_path: Path, empty_database: Path) -> str:
    file = tmp_path / "data" / "rankloop.db"
    file.parent.mkdir()
    shutil.copy(empty_database, file)
    return f"sqlite:///{file}"


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    database = Database.open(url)
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("trained") / "model")


@pytest.fixture(scope="module")
def probes(trained: Path) -> tuple[manifest.Probe, ...]:
    scores = Scorer.load(trained, max_length=256).score_pairs(manifest.PROBE_TEXTS[:2]).tolist()
    return tuple(manifest.Probe(q, p, s) for (q, p), s in zip(manifest.PROBE_TEXTS[:2], scores, strict=True))
