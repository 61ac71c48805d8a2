"""An indexed world, a rated one, its base, and a trainer over a copy of both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database
from store.settings import Settings
from tests import tiny
from tests.integration.trainer.code_world import THINGS, VERBS, World, make_world
from tests.integration.trainer.shop import Shop
from trainer.base import make_residual_base


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Code that nobody asked about yet."""
    made = make_world(tmp_path_factory.mktemp("indexed"))
    made.db.dispose()
    return made


@pytest.fixture
def world(indexed: World, tmp_path: Path) -> Iterator[World]:
    shutil.copy(indexed.settings.data / "rankloop.db", tmp_path / "rankloop.db")
    settings = Settings(data=tmp_path)
    copy = World(Database.open(settings.database), settings, ids=dict(indexed.ids))
    yield copy
    copy.db.dispose()


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Half of the functions asked for, with a vote for the right one and one against another."""
    world = make_world(tmp_path_factory.mktemp("rated"))
    for thing in THINGS[:5]:
        for number, verb in enumerate(VERBS):
            answer = world.ask(f"where does the code {verb} a {thing}")
            world.vote(answer, f"{verb}_{thing}", actor=("ann", "bob")[number % 2])
            world.vote(answer, f"{VERBS[number - 1]}_{thing}", False, actor=("ann", "bob")[number % 2])
    world.db.dispose()
    return world


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In the form of the residual base, so that the default recipe fits its head."""
    folder = tmp_path_factory.mktemp("base")
    return make_residual_base(tiny.encoder(folder / "encoder"), folder / "tiny", max_length=64)


@pytest.fixture
def shop(rated: World, tmp_path: Path, base: Path) -> Iterator[Shop]:
    made = Shop(rated, tmp_path, base)
    yield made
    made.db.dispose()
