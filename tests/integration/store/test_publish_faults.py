"""Publishing while the disk fails: every k-th call raises; the old versions or the new one, and a second try works."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from store import deployments, manifest, registry
from store.database import Database
from store.registry import VersionDraft
from store.types import Blend
from tests.integration.store.learning import NOW, open_database
from tests.integration.store.test_registry import ended_job, stage, versions_of

FEWEST = 15
"""Calls of one publishing that are seen to fail: fewer would mean that the fault is not reached."""


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    with database.write() as tx:
        registry.ensure_first_stage(tx, 0.1, NOW)
    yield database
    database.dispose()


class Failing:
    """Lets the ``at``-th watched call raise before or after it has done its work."""

    def __init__(self, at: int, after: bool, number: int) -> None:
        self.at, self.after, self.number = at, after, number
        self.calls = 0

    def watch(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            fails = self.calls == self.at
            if fails and not self.after:
                raise OSError(self.number, os.strerror(self.number))
            result = function(*args, **kwargs)
            if fails:
                raise OSError(self.number, os.strerror(self.number))
            return result

        return watched


@pytest.mark.parametrize(
    ("number", "after"), [(errno.ENOSPC, False), (errno.EIO, True)], ids=["disk full", "disk fails once it is done"]
)
def test_the_kth_write_fsync_or_rename_fails(
    db: Database,
    tmp_path: Path,
    trained: Path,
    probes: tuple[manifest.Probe, ...],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    after: bool,
) -> None:
    models = tmp_path / "models"
    monkeypatch.setattr(registry, "verify_in_fresh_process", manifest.verify)
    at, done = 0, False
    seen: set[int | None] = set()
    while not done:
        at += 1
        job_id = ended_job(db)
        draft = VersionDraft(f"try {at}", "tiny", Blend(1.0, 0.1, 0.5), 256, job_id=job_id, probes=probes)
        before, staged = versions_of(db), stage(models, trained, job_id)
        failing = Failing(at, after, number)
        with monkeypatch.context() as patch:
            for owner, name in ((os, "fsync"), (os, "rename"), (Path, "write_text"), (Path, "chmod")):
                patch.setattr(owner, name, failing.watch(getattr(owner, name)))
            try:
                registry.publish(db, models, staged, draft, NOW)
                done = True
            except OSError as error:
                seen.add(error.errno)
        if not done:
            assert versions_of(db) == before, "what failed has left no row"
        registry.sweep(db, models)
        assert {path.name for path in models.glob("v*")} == {one.path for one in versions_of(db) if one.path}
        assert not list((models / ".staging").iterdir())
    assert at > FEWEST
    assert seen == {number}


def test_a_failed_promotion_leaves_pointer_and_ledger(
    db: Database, tmp_path: Path, trained: Path, probes: tuple[manifest.Probe, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "verify_in_fresh_process", manifest.verify)
    draft = VersionDraft("a", "tiny", Blend(1.0, 0.1, 0.5), 256, probes=probes)
    version = registry.publish(db, tmp_path / "models", stage(tmp_path / "models", trained, 1), draft, NOW)

    def promote_and_fail() -> None:
        with db.write() as tx:
            deployments.promote(tx, version.id, "ada", "better", NOW)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        promote_and_fail()
    with db.read() as tx:
        assert deployments.champion(tx).version_id == 0
        assert len(deployments.ledger(tx)) == 1


def test_what_a_failed_job_staged_can_be_discarded(db: Database, tmp_path: Path, trained: Path) -> None:
    models = tmp_path / "models"
    stage(models, trained, 7)
    kept = stage(models, trained, 8)
    registry.discard(models, 7)
    assert not (models / ".staging" / "job-7").exists()
    assert kept.is_dir()
    registry.discard(models, 7)
