"""The whole nightly job on a real database, a real first stage and a real (tiny) cross-encoder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import CrossEncoder
from torch.nn import Identity

from store import deployments, evaluations, jobs, registry, snapshots, texts
from store.forms import HEAD_WEIGHTS
from store.loading import load_version
from store.types import FIRST_STAGE_VERSION, REPEATS, Decision, JobKind, JobState, Json
from tests import tiny
from tests.integration.trainer.code_world import START, THINGS, VERBS, World, make_world
from tests.integration.trainer.shop import FEW_STEPS, Shop, publish_for, result_of
from trainer.base import body_of
from trainer.examine import standing
from trainer.recipe import DEFAULT


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
        heard = len(snapshots.signal_ids(tx, result["snapshot"]))
    assert heard > 50
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
        "step length (line search)",
        f"{heard} signals of people went in: numbers ",
        f"| chunk vote | {heard} |",
        f"had held {version.metrics['process_peak_memory_mb']:,} MB at most",
    ):
        assert words in card
    assert "learning rate" not in card, "L-BFGS has none"
    assert result["process_peak_memory_mb"] == version.metrics["process_peak_memory_mb"] > 100
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
    assert "| step | epoch | loss | learning rate |" in card
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


def test_a_night_that_could_not_have_promoted_is_no_trial(shop: Shop, base: Path) -> None:
    publish_for(shop, shop.enqueue(), Decision.NOT_PROVEN, base, {"groups": 49, "held_out_groups": 9})
    assert standing(shop.db).trial == 1


def test_a_rehearsal_is_no_trial(shop: Shop, base: Path) -> None:
    publish_for(shop, shop.enqueue(), Decision.NOT_PROVEN, base, metrics={REPEATS: "0" * 64})
    assert standing(shop.db).trial == 1


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
    assert standing(shop.db).trial == 1, "so it tried nothing"
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
