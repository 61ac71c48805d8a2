"""A cross-encoder named in the settings: a real version, first champion unless a person has spoken; a fault is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import CrossEncoder
from torch.nn import Identity

from store import deployments, registry
from store.database import Database, migrate
from store.loading import load_version
from store.settings import Settings
from store.types import FIRST_STAGE_VERSION, Blend, VersionForm
from tests.integration.rankloop.conftest import Desk, Models
from trainer.first_champion import register_base

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path, models: Models) -> Iterator[tuple[Database, Settings]]:
    settings = Settings(data=tmp_path / "elsewhere", base=str(models.base), encoder=str(models.encoder), max_length=64)
    settings.data.mkdir()
    migrate(settings.database)
    db = Database.open(settings.database)
    with db.write() as tx:
        registry.ensure_first_stage(tx, settings.first_stage_lexical, NOW)
    yield db, settings
    db.dispose()


def champion(db: Database) -> int:
    with db.read() as tx:
        return deployments.champion(tx).version_id


def test_the_base_is_registered_once_and_serves_until_a_person_decides(
    house: tuple[Database, Settings], models: Models
) -> None:
    db, settings = house
    only_registered = settings.model_copy(update={"base_is_champion": False})
    version = register_base(db, only_registered, lambda: NOW)
    assert version is not None
    assert champion(db) == FIRST_STAGE_VERSION
    assert (version.id, version.name, version.form) == (1, "tiny-base", VersionForm.CROSS_ENCODER)
    assert version.blend == Blend(dense=0.0, lexical=0.0, rerank=1.0)
    assert version.decision is None

    loaded = load_version(version, settings.models_dir)  # manifest and probes are checked
    pairs = [("read a file", "def read(path): ..."), ("sort a list", "x " * 200)]
    expected = CrossEncoder(str(models.base), device="cpu", max_length=64).predict(pairs, activation_fn=Identity())
    assert loaded.scorer is not None
    np.testing.assert_allclose(loaded.scorer.score_pairs(pairs), expected, atol=1e-4)
    faster = load_version(version, settings.models_dir, engine="openvino-fp32")
    assert (faster.engine.name, faster.engine.refused) == ("openvino-fp32", {})
    np.testing.assert_allclose(faster.pair_logits(pairs), expected, atol=1e-3)
    card = (settings.models_dir / str(version.path) / "README.md").read_text()
    assert str(models.base) in card
    assert "no rating" in card
    assert "openvino-fp32" in card

    with db.write() as tx:
        deployments.set_auto_promote(tx, False)
    assert register_base(db, settings, lambda: NOW) == version
    assert champion(db) == FIRST_STAGE_VERSION, "a person's pause holds for the base too"
    with db.write() as tx:
        deployments.set_auto_promote(tx, True)
    assert register_base(db, settings, lambda: NOW) == version
    assert champion(db) == 1
    with db.write() as tx:
        (entry, *_) = deployments.ledger(tx)
        assert "RANKLOOP_BASE_IS_CHAMPION" in entry.reason
        assert (entry.from_version, entry.to_version, entry.actor) == (0, 1, "trainer")
        deployments.rollback(tx, "ann", "worse than nothing", NOW)
    assert register_base(db, settings, lambda: NOW) is not None
    assert champion(db) == FIRST_STAGE_VERSION
    with db.read() as tx:
        assert [one.id for one in registry.list_all(tx)] == [1, 0]


@pytest.mark.parametrize("base", ["empty", "damaged"])
def test_a_base_that_cannot_be_loaded_changes_nothing_and_is_told(
    house: tuple[Database, Settings],
    models: Models,
    empty: Desk,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    base: str,
) -> None:
    db, settings = house
    folder = tmp_path / base
    folder.mkdir()
    if base == "damaged":
        for file in models.base.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    broken = settings.model_copy(update={"base": str(folder)})
    with caplog.at_level(logging.WARNING):
        assert register_base(db, broken, lambda: NOW) is None
    assert str(folder) in caplog.text
    assert champion(db) == FIRST_STAGE_VERSION
    done = empty.run("doctor", RANKLOOP_BASE=str(folder))
    assert done.exit_code == 1
    assert [line for line in done.output.splitlines() if line.startswith("fault base:") and str(folder) in line]
    assert "registered when the trainer starts" in empty.says("doctor", RANKLOOP_BASE=str(models.base))
