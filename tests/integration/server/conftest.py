"""Real parts with a tiny encoder: an index of one's own for indexing, a whole running server for the HTTP calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database, migrate
from store.encoder import Encoder
from store.vectors import VectorIndex
from tests import tiny
from tests.integration.server.support import Running, running


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return Encoder.load(str(tiny.encoder(tmp_path_factory.mktemp("encoder") / "tiny")))


@pytest.fixture
def index_db(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'data' / 'rankloop.db'}"
    migrate(url)
    db = Database.open(url)
    yield db
    db.dispose()


@pytest.fixture
def vector_index(tiny_encoder: Encoder) -> Iterator[VectorIndex]:
    index = VectorIndex.open(None, None, tiny_encoder.dimension)
    yield index
    index.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Iterator[Running]:
    """A server with the repository "shop" indexed, shared by the tests of a module."""
    root = tmp_path_factory.mktemp("server")
    with running(root / "data", tiny_encoder) as server:
        server.index(root / "code")
        yield server


@pytest.fixture
def own(tmp_path: Path, tiny_encoder: Encoder) -> Iterator[Running]:
    """A server of the test's own, with the repository "shop" indexed."""
    with running(tmp_path / "data", tiny_encoder) as server:
        server.index(tmp_path / "code")
        yield server
