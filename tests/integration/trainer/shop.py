"""A trainer over a copy of a rated world, run in the test's process."""

from __future__ import annotations

import shutil
from pathlib import Path
from threading import Event

from store import deployments, imports, jobs, registry
from store.database import Database
from store.settings import Settings
from store.types import Blend, Decision, Job, JobKind, JobState, Json
from tests.integration.trainer.code_world import START, World, encoder
from trainer.pipeline import Trainer
from trainer.single import evaluate_version
from trainer.worker import Worker

FEW_STEPS = {"max_steps": 3}


class Shop:
    """A trainer over a copy of a world, run in this process."""

    def __init__(self, world: World, folder: Path, base: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(world.settings.data / "rankloop.db", folder / "rankloop.db")
        self.settings = Settings(data=folder, base=str(base), max_length=64)
        self.db = Database.open(self.settings.database)
        with self.db.write() as tx:
            registry.ensure_first_stage(tx, self.settings.first_stage_lexical, START)
        self.trainer = Trainer(self.db, self.settings, encoder, lambda: START)
        self.stop = Event()

    def worker(self) -> Worker:
        handlers = {
            JobKind.NIGHTLY: self.trainer.nightly,
            JobKind.EVALUATE: lambda reporter: evaluate_version(self.trainer, reporter),
        }
        return Worker(self.db, handlers, self.stop, lambda: START)

    def enqueue(self, params: Json | None = None, by: str = "ann", kind: JobKind = JobKind.NIGHTLY) -> Job:
        with self.db.write() as tx:
            job = jobs.enqueue(tx, kind, params or {}, by, START)
        assert job is not None
        return job

    def run(self, params: Json | None = None, by: str = "ann", kind: JobKind = JobKind.NIGHTLY) -> Job:
        job = self.enqueue(params, by, kind)
        assert self.worker().run_one() is not None
        return self.job(job.id)

    def job(self, number: int) -> Job:
        with self.db.read() as tx:
            return jobs.get(tx, number)

    def champion(self) -> int:
        with self.db.read() as tx:
            return deployments.champion(tx).version_id

    def import_pairs(self, rows: list[tuple[str, str, float]]) -> None:
        with self.db.write() as tx:
            imports.add_pairs(tx, "file", rows, START)


def result_of(job: Job) -> Json:
    assert job.state is JobState.SUCCEEDED, job.error
    assert job.result is not None
    return job.result


def publish_for(
    shop: Shop, job: Job, decision: Decision, base: Path, gate: Json | None = None, metrics: Json | None = None
) -> int:
    """``gate``: the numbers that its gate left; by default of enough questions. ``metrics``: further ones."""
    staged = registry.staging(shop.settings.models_dir, job.id)
    shutil.copytree(base, staged, dirs_exist_ok=True)
    (staged / "README.md").write_text("card")
    with shop.db.read() as tx:
        generation = deployments.champion(tx).generation
    draft = registry.VersionDraft(
        name="made before the crash",
        base="tiny",
        blend=Blend(1.0, 0.1, 0.5),
        max_length=64,
        metrics={
            "against": {"version": 0, "generation": generation},
            "evidence": {},
            "gate": gate or {"groups": 200, "held_out_groups": 40, "could_promote": True},
            **(metrics or {}),
        },
        decision=decision,
        reasons=("it is better",),
        job_id=job.id,
    )
    return registry.publish(shop.db, shop.settings.models_dir, staged, draft, START).id
