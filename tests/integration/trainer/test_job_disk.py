"""A night on a disk that fills up: it fails and says why, frees what it took, and changes no champion."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from store import jobs, registry
from store.types import FIRST_STAGE_VERSION, JobState, Version
from tests import tiny
from tests.integration.trainer.code_world import THINGS, VERBS, make_world
from tests.integration.trainer.shop import Shop
from trainer.base import make_residual_base


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    world = make_world(tmp_path / "world")
    for thing in THINGS[:4]:
        for verb in VERBS[:5]:
            world.vote(world.ask(f"where does the code {verb} a {thing}"), f"{verb}_{thing}")
    world.db.dispose()
    base = make_residual_base(tiny.encoder(tmp_path / "encoder"), tmp_path / "tiny", max_length=64)
    return Shop(world, tmp_path / "shop", base)


def test_a_night_on_a_full_disk_says_so_and_frees_what_it_took(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_db: Any, models: Path, staged: Path, *_: Any) -> Version:
        assert staged.is_dir()
        assert staged.is_relative_to(models)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(registry, "publish", full)
        ended = shop.run()
    assert ended.state is JobState.FAILED
    assert "the disk is full" in str(ended.error)
    assert not list((shop.settings.models_dir / ".staging").iterdir())
    assert shop.champion() == FIRST_STAGE_VERSION
    with shop.db.read() as tx:
        assert [version.id for version in registry.list_all(tx)] == [FIRST_STAGE_VERSION]
        assert not [one for one in jobs.list_all(tx) if not one.state.ended]
    assert shop.run().state is JobState.SUCCEEDED, "the next night works"
    shop.db.dispose()
