"""The whole nightly job on a real database, a real first stage and a real (tiny) cross-encoder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from sentence_transformers import CrossEncoder
from torch.nn import Identity

from store import deployments, evaluations, imports, jobs, registry, snapshots, texts
from store.database import Database
from store.forms import HEAD_WEIGHTS
from store.loading import load_version
from store.settings import Settings
from store.types import FIRST_STAGE_VERSION, Blend, Decision, Job, JobKind, JobState, Json
from tests import tiny
from tests.integration.trainer.code_world import START, THINGS, VERBS, World, encoder, make_world
from trainer.base import body_of, make_residual_base
from trainer.examine import standing
from trainer.pipeline import Trainer
from trainer.recipe import DEFAULT
from trainer.single import evaluate_version
from trainer.worker import Worker

FEW_STEPS = {"max_steps": 3}


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


@pytest.fixture
def shop(rated: World, tmp_path: Path, base: Path) -> Iterator[Shop]:
    made = Shop(rated, tmp_path, base)
    yield made
    made.db.dispose()


def result_of(job: Job) -> Json:
    assert job.state is JobState.SUCCEEDED, job.error
    assert job.result is not None
    return job.result


def test_a_night_makes_a_version_that_anyone_can_load(shop: Shop) -> None:
    job = shop.run(FEW_STEPS)
    result = result_of(job)
    assert result["decision"] in set(Decision)
    assert result["reasons"]
    for evidence in ("held_out", "out_of_fold"):
        assert set(result["metrics"][evidence]) == {"no_rerank", "base", "champion", "challenger"}
        assert all(0 <= arm["ndcg@10"] <= 1 for arm in result["metrics"][evidence].values())
    assert result["metrics"]["out_of_fold"]["challenger"]["queries"] > result["metrics"]["held_out"]["base"]["queries"]

    with shop.db.read() as tx:
        version = registry.get(tx, result["version"])
        stored = evaluations.load(tx, version.id, "challenger", "out_of_fold")
        stages = [event.data["stage"] for event in jobs.events(tx, job.id) if event.type == "stage"]
        snapshot = snapshots.load(tx, result["snapshot"])
    assert stages[:6] == ["dataset", "finetune", "out_of_fold", "evaluate", "gate", "publish"]
    assert {row.group_id for row in stored} <= {query.group_id for query in snapshot.train_queries}
    assert version.metrics["training"]["steps"] == 3
    assert version.parent_id == FIRST_STAGE_VERSION

    assert version.path is not None
    directory = shop.settings.models_dir / version.path
    pairs = [("where is it", "def it(): pass"), ("sort a list", "x " * 300)]
    plain = CrossEncoder(str(directory), device="cpu").predict(pairs, activation_fn=Identity())
    loaded = load_version(version, shop.settings.models_dir)
    assert loaded.scorer is not None
    np.testing.assert_allclose(loaded.scorer.score_pairs(pairs), plain, atol=1e-4)
    assert version.metrics["engines"]["openvino-fp32"]["kendall_tau"] == pytest.approx(1)
    by_engine = load_version(version, shop.settings.models_dir, engine="openvino-fp32")
    assert (by_engine.engine.name, by_engine.engine.refused) == ("openvino-fp32", {})
    card = (directory / "README.md").read_text(encoding="utf-8")
    for words in (
        "pipeline_tag: text-ranking",
        "ResidualListwiseHead",
        "| openvino-fp32 |",
        "penalty",
        "chunk vote",
        "this version",
        "torch",
    ):
        assert words in card
    assert snapshot.hash in card
    lineage = json.loads((directory / "rankloop.json").read_text(encoding="utf-8"))
    assert lineage["snapshot"] == snapshot.hash


def test_the_default_leaves_the_body_as_it_is(shop: Shop) -> None:
    result = result_of(shop.run())
    with shop.db.read() as tx:
        version = registry.get(tx, result["version"])
    (base,) = (shop.settings.data / "bases").iterdir()
    directory = shop.settings.models_dir / str(version.path)
    assert body_of(directory) == body_of(base)
    assert (directory / HEAD_WEIGHTS).read_bytes() != (base / HEAD_WEIGHTS).read_bytes()
    assert version.blend.dense == DEFAULT.prior_scale
    assert version.blend.lexical == pytest.approx(DEFAULT.prior_scale * shop.settings.first_stage_lexical)
    assert version.metrics["training"]["loss_last"] < version.metrics["training"]["loss_first"]


@pytest.mark.parametrize(("form", "recipe"), [("pooled", "listwise"), ("pooled", "seed"), ("single", "default")])
def test_fine_tuning_stays_possible(rated: World, tmp_path: Path, base: Path, form: str, recipe: str) -> None:
    """The default falls back to it where the base has no head that could be fitted alone."""
    single = tiny.cross_encoder(tmp_path / "single", max_length=64, zero_head=True)
    shop = Shop(rated, tmp_path / "shop", base if form == "pooled" else single)
    result = result_of(shop.run({**FEW_STEPS, "recipe": recipe}))
    with shop.db.read() as tx:
        version = registry.get(tx, result["version"])
    assert version.metrics["training"]["steps"] == FEW_STEPS["max_steps"]
    directory = shop.settings.models_dir / str(version.path)
    assert (body_of(directory) is None) is (form == "single")
    card = (directory / "README.md").read_text(encoding="utf-8")
    assert ("WeightedBinaryCrossEntropyLoss" if recipe == "seed" else "ListwiseLoss") in card
    assert "learning_rate" in card
    shop.db.dispose()


def test_the_same_ratings_base_and_seed_give_the_same_weights_and_decision(
    rated: World, tmp_path: Path, base: Path
) -> None:
    made = []
    for name in ("one", "two"):
        shop = Shop(rated, tmp_path / name, base)
        result = result_of(shop.run({**FEW_STEPS, "seed": 7}))
        with shop.db.read() as tx:
            version = registry.get(tx, result["version"])
        weights = shop.settings.models_dir / str(version.path) / HEAD_WEIGHTS
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        made.append((digest, version.blend, version.decision, result["metrics"]["held_out"], result["snapshot"]))
        shop.db.dispose()
    assert made[0] == made[1]


def test_a_scheduled_night_without_enough_new_judgments_makes_no_challenger(shop: Shop) -> None:
    first = result_of(shop.run(FEW_STEPS, by="schedule"))
    assert first["version"] is not None
    second = result_of(shop.run(FEW_STEPS, by="schedule"))
    assert second["version"] is None
    assert second["decision"] is None
    assert "0 newly judged questions" in second["reasons"][0]
    assert result_of(shop.run(FEW_STEPS, by="ann"))["version"] is not None, "a person's wish is carried out"


def test_a_trained_version_is_measured_by_its_stored_out_of_fold_scores(shop: Shop) -> None:
    first = result_of(shop.run(FEW_STEPS))
    with shop.db.write() as tx:
        deployments.promote(tx, first["version"], "ann", "try it", START, forced=True)
    second = result_of(shop.run({**FEW_STEPS, "seed": 1}))
    fold = second["metrics"]["out_of_fold"]
    assert fold["champion"]["ndcg@10"] == pytest.approx(first["metrics"]["out_of_fold"]["challenger"]["ndcg@10"])
    assert fold["champion"]["queries"] == first["metrics"]["out_of_fold"]["challenger"]["queries"]


def test_out_of_fold_evidence_recovers_from_a_gap_of_the_champion(shop: Shop) -> None:
    """A group that the champion has no honest score for is left out tonight, and stored for the next champion."""
    first = result_of(shop.run(FEW_STEPS))
    with shop.db.write() as tx:
        deployments.promote(tx, first["version"], "ann", "try it", START, forced=True)
        known = evaluations.load(tx, first["version"], "challenger", "out_of_fold")
        evaluations.save(tx, first["version"], known[1:])
    second = result_of(shop.run({**FEW_STEPS, "seed": 1}))
    with shop.db.read() as tx:
        stored = evaluations.load(tx, second["version"], "challenger", "out_of_fold")
    fold = second["metrics"]["out_of_fold"]
    assert {arm["queries"] for arm in fold.values()} == {len(known) - 1}
    assert {row.group_id for row in stored} == {row.group_id for row in known}


def test_a_trial_counts_against_the_champion_whatever_happened_between(shop: Shop, base: Path) -> None:
    version = publish_for(shop, shop.enqueue(), Decision.NOT_PROVEN, base)
    assert standing(shop.db).trial == 2
    with shop.db.write() as tx:
        deployments.promote(tx, version, "ann", "try it", START, forced=True)
    assert standing(shop.db).trial == 1, "nobody challenged this one"
    with shop.db.write() as tx:
        deployments.rollback(tx, "ann", "it was worse", START)
    assert standing(shop.db).trial == 2, "the first stage has been challenged before"


def test_forty_five_imported_pairs_train_by_the_seed_recipe_and_prove_nothing(shop: Shop) -> None:
    rows = [
        (f"how to {verb} it", f"def {verb}_{thing}(): pass", float(thing == "file"))
        for verb in VERBS[:9]
        for thing in THINGS[:5]
    ]
    shop.import_pairs(rows)
    result = result_of(shop.run({"recipe": "seed", "pairs_batch": "file"}))
    assert result["decision"] == Decision.NOT_PROVEN
    with shop.db.read() as tx:
        version = registry.get(tx, result["version"])
        snapshot = snapshots.load(tx, result["snapshot"])
    assert len(snapshot.pairs) + sum(len(one.relevance) for one in snapshot.held_out) >= 45 - 9
    assert version.metrics["training"]["epochs"] == 3
    assert set(result["metrics"]) == {"imported"}, "none of it is held-out evidence"
    assert shop.champion() == FIRST_STAGE_VERSION


def test_pairs_of_one_class_train_nothing_and_say_so(shop: Shop) -> None:
    shop.import_pairs([(f"how to {verb} it", f"def {verb}(): pass", 1.0) for verb in VERBS])
    result = result_of(shop.run({"recipe": "seed", "pairs_batch": "file"}))
    assert result["version"] is None
    assert "both classes" in " ".join(result["reasons"])


def test_without_anything_rated_the_job_says_what_to_do(rated: World, tmp_path: Path, base: Path) -> None:
    empty = make_world(tmp_path / "empty")
    empty.db.dispose()
    shop = Shop(empty, tmp_path / "shop", base)
    result = result_of(shop.run())
    assert result["version"] is None
    assert "Nothing has been rated" in " ".join(result["reasons"])
    shop.db.dispose()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"recipe": "best"}, "unknown recipe"),
        ({"epochs": 3}, "unknown job parameters"),
        ({"max_steps": 0}, "max_steps"),
        ({"pairs_batch": "none"}, "no imported pairs"),
    ],
)
def test_wrong_parameters_fail_with_a_reason(shop: Shop, params: Json, words: str) -> None:
    job = shop.run(params)
    assert job.state is JobState.FAILED
    assert words in str(job.error)


def test_a_cancelled_job_ends_soon_and_leaves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.worker.BEAT_SECONDS", 0.05)
    job = shop.enqueue({"recipe": "seed"})
    thread = Thread(target=shop.worker().run_one)
    thread.start()
    while shop.job(job.id).stage != "finetune" and thread.is_alive():
        Event().wait(0.01)
    with shop.db.write() as tx:
        jobs.request_cancel(tx, job.id, START)
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert shop.job(job.id).state is JobState.CANCELLED
    with shop.db.read() as tx:
        assert [version.id for version in registry.list_all(tx)] == [FIRST_STAGE_VERSION]
    registry.sweep(shop.db, shop.settings.models_dir)
    assert not [path for path in shop.settings.models_dir.rglob("*") if path.is_file()]


def test_a_job_of_an_ending_process_is_taken_up_again(shop: Shop) -> None:
    job = shop.enqueue(FEW_STEPS)
    shop.stop.set()
    shop.worker().run_one()
    assert shop.job(job.id).state is JobState.QUEUED
    shop.stop.clear()
    shop.worker().run_one()
    assert shop.job(job.id).state is JobState.SUCCEEDED


def publish_for(shop: Shop, job: Job, decision: Decision, base: Path) -> int:
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
        metrics={"against": {"version": 0, "generation": generation}, "evidence": {}},
        decision=decision,
        reasons=("it is better",),
        job_id=job.id,
    )
    return registry.publish(shop.db, shop.settings.models_dir, staged, draft, START).id


@pytest.mark.parametrize("decision", [Decision.PROMOTE, Decision.NOT_PROVEN])
def test_a_job_killed_after_publishing_settles_what_it_published(shop: Shop, base: Path, decision: Decision) -> None:
    job = shop.enqueue()
    version = publish_for(shop, job, decision, base)
    shop.worker().run_one()
    result = result_of(shop.job(job.id))
    assert result["version"] == version
    assert result["promoted"] is (decision is Decision.PROMOTE)
    assert shop.champion() == (version if decision is Decision.PROMOTE else FIRST_STAGE_VERSION)


def test_a_rollback_pauses_automatic_promotion(shop: Shop, base: Path) -> None:
    with shop.db.write() as tx:
        deployments.set_auto_promote(tx, False)
    job = shop.enqueue()
    publish_for(shop, job, Decision.PROMOTE, base)
    shop.worker().run_one()
    assert result_of(shop.job(job.id))["promoted"] is False
    assert shop.champion() == FIRST_STAGE_VERSION


def test_a_champion_that_changed_meanwhile_is_not_overrun(shop: Shop, base: Path) -> None:
    first, second = shop.enqueue(), shop.enqueue()
    one = publish_for(shop, first, Decision.NOT_PROVEN, base)
    publish_for(shop, second, Decision.PROMOTE, base)
    with shop.db.write() as tx:
        deployments.promote(tx, one, "ann", "meanwhile", START, forced=True)
    worker = shop.worker()
    worker.run_one()
    worker.run_one()
    result = result_of(shop.job(second.id))
    assert result["promoted"] is False
    assert "changed meanwhile" in result["promotion"]
    assert shop.champion() == one


def test_the_evaluate_job_measures_a_version_on_todays_questions(shop: Shop) -> None:
    result = result_of(shop.run(kind=JobKind.EVALUATE))
    assert result["version"] == FIRST_STAGE_VERSION
    held_out = result["metrics"]["held_out"]
    assert held_out["challenger"] == held_out["no_rerank"]
    assert shop.run({"version": 99}, kind=JobKind.EVALUATE).state is JobState.FAILED


def test_texts_that_are_lost_are_left_out_and_counted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real = texts.get

    def lossy(tx: object, hashes: object) -> dict[str, str]:
        found = real(tx, hashes)  # type: ignore[arg-type]
        return {name: text for name, text in found.items() if not name.startswith("a")}

    monkeypatch.setattr("trainer.field.text_store.get", lossy)
    result = result_of(shop.run(FEW_STEPS))
    with shop.db.read() as tx:
        notes = registry.get(tx, result["version"]).metrics["notes"]
    assert any("texts are missing" in note for note in notes)
