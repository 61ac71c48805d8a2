import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from store import deployments, jobs, loading, manifest, published, registry
from store.database import Database
from store.errors import InvalidInput, ModelRefused, NotFound
from store.registry import VersionDraft
from store.scorer import Scorer
from store.tables import versions
from store.types import Blend, Decision, JobKind, Version, VersionForm
from store.verify import verify
from tests.integration.store.learning import NOW, open_database

BLEND = Blend(dense=1.0, lexical=0.1, rerank=0.5)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    with database.write() as tx:
        registry.ensure_first_stage(tx, 0.1, NOW)
    yield database
    database.dispose()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def ended_job(db: Database) -> int:
    with db.write() as tx:
        job = jobs.enqueue(tx, JobKind.NIGHTLY, {}, "ada", NOW)
        assert job is not None
        return jobs.request_cancel(tx, job.id, NOW).id


def stage(models: Path, trained: Path, job_id: int) -> Path:
    return Path(shutil.copytree(trained, registry.staging(models, job_id), dirs_exist_ok=True))


def versions_of(db: Database) -> list[Version]:
    with db.read() as tx:
        return registry.list_all(tx)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the fresh process where it is not what the test is about."""
    monkeypatch.setattr(registry, "verify_in_fresh_process", manifest.verify)


def test_a_published_version_serves_what_was_staged(db: Database, models: Path, trained: Path) -> None:
    job_id = ended_job(db)
    staged = stage(models, trained, job_id)
    draft = VersionDraft(
        "nightly",
        "tiny",
        BLEND,
        256,
        parent_id=0,
        metrics={"ndcg@10": 0.5},
        decision=Decision.NOT_PROVEN,
        reasons=("few groups",),
        job_id=job_id,
        seed=3,
        hyper_parameters={"lr": 5e-5},
    )
    version = registry.publish(db, models, staged, draft, NOW)
    assert versions_of(db)[0] == version
    assert (version.form, version.parent_id, version.champion) == (VersionForm.CROSS_ENCODER, 0, False)
    assert (version.decision, version.reasons, version.blend) == (Decision.NOT_PROVEN, ("few groups",), BLEND)
    assert not staged.exists()
    directory = published.directory_of(version, models)
    lineage = manifest.lineage(directory)
    assert (lineage["base"], lineage["seed"], lineage["hyper_parameters"]) == ("tiny", 3, {"lr": 5e-5})
    assert len(lineage["probes"]) == len(manifest.PROBE_TEXTS)
    loaded = loading.load_version(version, models)
    texts = ["def read(path): ...", "class login"]
    rerank, final = loaded.score("read file", texts, [0.2, 0.1], [1.0, 0.0])
    assert rerank is not None
    assert rerank.tolist() == Scorer.load(trained, max_length=256).score("read file", texts).tolist()
    assert final == pytest.approx([0.2 + 0.1 * 1.0 + 0.5 * rerank[0], 0.1 + 0.5 * rerank[1]])
    with db.read() as tx:
        assert registry.by_job(tx, job_id) == [version]
        with pytest.raises(NotFound):
            registry.get(tx, 99)


def test_version_0_scores_the_first_stage(db: Database, models: Path) -> None:
    loaded = loading.load_version(versions_of(db)[0], models)
    rerank, final = loaded.score("q", ["a", "b"], [0.2, 0.1], [0.0, 1.0])
    assert rerank is None
    assert final == pytest.approx([0.2, 0.1 + 0.1 * 1.0])


class Crash(BaseException):
    """Stands for the power going out."""


class Countdown:
    """Raises Crash at the ``at``-th of the calls it is asked to watch."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.calls = 0

    def step(self) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise Crash

    def watch(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.step()
            result = function(*args, **kwargs)
            self.step()
            return result

        return watched


def publish_with_crash(
    at: int, db: Database, models: Path, staged: Path, draft: VersionDraft, patch: pytest.MonkeyPatch
) -> bool:
    """Whether publishing ended before the ``at``-th step."""
    countdown = Countdown(at)
    with patch.context() as inner:
        for owner, name in (
            (os, "fsync"),
            (os, "rename"),
            (Path, "write_text"),
            (Path, "chmod"),
            (registry, "_insert"),
        ):
            inner.setattr(owner, name, countdown.watch(getattr(owner, name)))
        inner.setattr(registry, "verify_in_fresh_process", countdown.watch(manifest.verify))
        inner.setattr(registry, "get", countdown.watch(registry.get))
        try:
            registry.publish(db, models, staged, draft, NOW)
        except Crash:
            return False
    return True


def test_a_crash_at_any_step_leaves_the_old_or_the_new(
    db: Database, models: Path, trained: Path, probes: tuple[manifest.Probe, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    at, done = 0, False
    while not done:
        at += 1
        job_id = ended_job(db)
        before = versions_of(db)
        draft = VersionDraft(f"try {at}", "tiny", BLEND, 256, job_id=job_id, probes=probes)
        done = publish_with_crash(at, db, models, stage(models, trained, job_id), draft, monkeypatch)
        after = versions_of(db)
        assert after == before if not done else len(after) == len(before) + 1
        registry.sweep(db, models)
        registered = {version.path for version in after if version.path}
        assert {path.name for path in models.iterdir()} - {".staging"} == registered
        assert list((models / ".staging").iterdir()) == []
        for version in after:
            if version.path:
                manifest.verify(models / version.path)
    assert at > 30  # every file's fsync, the rename, the row: all were interrupted


@pytest.mark.usefixtures("in_process")
def test_publishing_over_a_leftover_of_the_same_name(
    db: Database,
    models: Path,
    trained: Path,
    probes: tuple[manifest.Probe, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The id of a version that was never committed is given again."""
    draft = VersionDraft("a", "tiny", BLEND, 256, probes=probes)

    def crash(*_: Any) -> Version:
        raise Crash

    with monkeypatch.context() as inner:
        inner.setattr(registry, "get", crash)
        with pytest.raises(Crash):
            registry.publish(db, models, stage(models, trained, 1), draft, NOW)
    (leftover,) = models.glob("v*")
    version = registry.publish(db, models, stage(models, trained, 1), draft, NOW)
    assert version.path == leftover.name
    manifest.verify(leftover)


@pytest.mark.usefixtures("in_process")
def test_a_row_vouches_for_its_manifest(
    db: Database, models: Path, trained: Path, probes: tuple[manifest.Probe, ...]
) -> None:
    """Another directory, whole and with a manifest of its own, in the place of the published one."""
    draft = VersionDraft("a", "tiny", BLEND, 256, probes=probes)
    version = registry.publish(db, models, stage(models, trained, 1), draft, NOW)
    directory = published.directory_of(version, models)
    manifest.write_lineage(directory, {"base": "another"})
    manifest.write(directory, max_length=256, probes=probes)
    with pytest.raises(ModelRefused, match="since the version was published"):
        loading.load_version(version, models)


def test_wrong_probes_are_not_published(
    db: Database, models: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "verify_in_fresh_process", verify)
    probe = manifest.Probe("read", "file", 123.0)
    staged = stage(models, trained, 1)
    with pytest.raises(ModelRefused, match="probe 1"):
        registry.publish(db, models, staged, VersionDraft("a", "tiny", BLEND, 256, probes=(probe,)), NOW)
    assert [version.id for version in versions_of(db)] == [0]
    assert list(models.glob("v*")) == []


def test_only_staging_is_published(db: Database, models: Path, trained: Path) -> None:
    with pytest.raises(InvalidInput, match="staging"):
        registry.publish(db, models, trained, VersionDraft("a", "tiny", BLEND, 256), NOW)
    assert trained.exists()


def test_a_version_without_a_card_is_refused(db: Database, models: Path, trained: Path) -> None:
    staged = stage(models, trained, 1)
    (staged / "README.md").unlink()
    with pytest.raises(ModelRefused, match="card"):
        registry.publish(db, models, staged, VersionDraft("a", "tiny", BLEND, 256), NOW)


def test_sweep_spares_what_is_at_work(db: Database, models: Path, trained: Path) -> None:
    with db.write() as tx:
        running = jobs.enqueue(tx, JobKind.NIGHTLY, {}, "ada", NOW)
    assert running is not None
    stage(models, trained, running.id)
    stage(models, trained, 0)  # no job's, but young
    (models / "v0001-abcdefabcdef").mkdir()  # the next id: of a crash before the row was there
    (models / "notes").mkdir()
    assert registry.sweep(db, models) == ["v0001-abcdefabcdef"]
    os.utime(models / ".staging" / "job-0", (0, 0))
    with db.write() as tx:
        jobs.request_cancel(tx, running.id, NOW)
    assert registry.sweep(db, models) == [".staging/job-0", f".staging/job-{running.id}"]
    assert (models / "notes").is_dir()


@pytest.mark.parametrize("lost", ["database", "rows"])
@pytest.mark.usefixtures("in_process")
def test_versions_of_another_database_are_kept(
    db: Database,
    models: Path,
    trained: Path,
    probes: tuple[manifest.Probe, ...],
    caplog: pytest.LogCaptureFixture,
    lost: str,
) -> None:
    """A database that was lost and made anew beside its versions, or replaced by a copy from before them."""
    for name in ("a", "b", "c"):
        draft = VersionDraft(name, "tiny", BLEND, 256, hyper_parameters={"name": name}, probes=probes)
        registry.publish(db, models, stage(models, trained, 1), draft, NOW)
    before = sorted(path.name for path in models.glob("v*"))
    assert [name[:5] for name in before] == ["v0001", "v0002", "v0003"]
    if lost == "rows":
        with db.write() as tx:
            tx.execute(delete(versions).where(versions.c.id > 1))
        assert registry.sweep(db, models) == []
    else:
        (models.parent / "new").mkdir()
        fresh = open_database(models.parent / "new")
        with fresh.write() as tx:
            registry.ensure_first_stage(tx, 0.1, datetime.now(UTC) + timedelta(seconds=1))
        assert registry.sweep(fresh, models) == []
        (models / before[1]).rename(models.parent / "elsewhere")
        (models / before[2]).rename(models.parent / "elsewhere too")
        assert registry.sweep(fresh, models) == [], "it has the next id, but is older than the database"
        before = before[:1]
        fresh.dispose()
    assert sorted(path.name for path in models.glob("v*")) == before
    assert before[-1] in caplog.text


def test_sweep_without_a_models_directory(db: Database, models: Path) -> None:
    assert registry.sweep(db, models) == []


@pytest.mark.usefixtures("in_process")
def test_the_champion_is_marked(db: Database, models: Path, trained: Path, probes: tuple[manifest.Probe, ...]) -> None:
    draft = VersionDraft("a", "tiny", BLEND, 256, probes=probes)
    version = registry.publish(db, models, stage(models, trained, 1), draft, NOW)
    with db.write() as tx:
        deployments.promote(tx, version.id, "ada", "better", NOW)
    assert [(v.id, v.champion) for v in versions_of(db)] == [(version.id, True), (0, False)]


@pytest.mark.parametrize("path", [None, "..", "a/b", "../models/v1", ".", ""])
def test_a_row_that_leads_elsewhere_is_refused(models: Path, db: Database, path: str | None) -> None:
    row = versions_of(db)[0]
    version = Version(
        1, "x", VersionForm.CROSS_ENCODER, "b", None, None, path, row.blend, {}, None, (), NOW, None, False
    )
    with pytest.raises(ModelRefused):
        loading.load_version(version, models)
