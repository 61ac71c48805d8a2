"""A night is repeated from its stored snapshot: the same figures, no trial, no promotion."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import load_file

from store import deployments, evaluations, registry, snapshots
from store.forms import HEAD_WEIGHTS
from store.types import FIRST_STAGE_VERSION, Decision, JobState, Json, Version
from tests.integration.trainer.code_world import START, THINGS, World, encoder
from tests.integration.trainer.shop import FEW_STEPS, Shop, publish_for, result_of
from trainer.order import Order, take_snapshot
from trainer.recipe import DEFAULT, within

NIGHT = {**FEW_STEPS, "seed": 7}
WITHIN = 1e-4
"""Features of one pair that were computed in other batches may differ by so much."""


@dataclass(frozen=True)
class Night:
    """A night that is over, in a folder of its own; each test repeats it in a copy."""

    rated: World
    base: Path
    result: Json

    def again(self, folder: Path) -> Shop:
        shutil.copytree(self.rated.settings.data, folder)
        return Shop(self.rated, folder, self.base)


@pytest.fixture(scope="module")
def night(rated: World, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    shop = Shop(rated, tmp_path_factory.mktemp("night"), base)
    result = result_of(shop.run(NIGHT))
    shop.db.dispose()
    return Night(replace(rated, settings=shop.settings), base, result)


@pytest.fixture
def after(night: Night, tmp_path: Path) -> Iterator[Shop]:
    """The morning after the night."""
    shop = night.again(tmp_path / "after")
    yield shop
    shop.db.dispose()


def said(version: Version) -> list[str]:
    """Its reasons but for the latency, which is measured anew."""
    return [reason for reason in version.reasons if not reason.startswith("Reranking a full list")]


def version_of(shop: Shop, result: Json) -> Version:
    with shop.db.read() as tx:
        return registry.get(tx, result["version"])


def figures(result: Json, evidence: str | None = None, arm: str | None = None) -> dict[str, float]:
    """Means by evidence, arm and name."""
    return {
        f"{body} {one} {name}": value
        for body, arms in result["metrics"].items()
        for one, means in arms.items()
        for name, value in means.items()
        if evidence in (None, body) and arm in (None, one)
    }


def rankings(shop: Shop, version: Version) -> set[tuple[str, str, int, tuple[str, ...]]]:
    """Every arm's first ten of each question."""
    with shop.db.read() as tx:
        return {(row.arm, row.evidence, row.group_id, row.ranking) for row in evaluations.load(tx, version.id)}


def weights(shop: Shop, version: Version) -> npt.NDArray[np.float32]:
    """What was trained: the head; not zero, as the base's is."""
    found = load_file(shop.settings.models_dir / str(version.path) / HEAD_WEIGHTS)["linear.weight"]
    assert np.abs(found).max() > 10 * WITHIN
    return np.asarray(found)


def test_a_night_repeated_gives_the_same_decision_and_figures(after: Shop, night: Night) -> None:
    first = night.result
    again = result_of(after.run({"snapshot": first["snapshot"][:8]}))
    before, rehearsal = version_of(after, first), version_of(after, again)
    assert again["snapshot"] == first["snapshot"]
    assert figures(again) == pytest.approx(figures(first), abs=WITHIN)
    assert rankings(after, rehearsal) == rankings(after, before)
    np.testing.assert_allclose(weights(after, rehearsal), weights(after, before), atol=WITHIN)
    assert (rehearsal.decision, rehearsal.blend) == (before.decision, before.blend)
    assert rehearsal.metrics["against"] == before.metrics["against"], "the same trial against the same champion"
    assert rehearsal.metrics["training"]["steps"] == FEW_STEPS["max_steps"], "by the recipe that the snapshot records"
    assert rehearsal.reasons[0].startswith(
        f"A rehearsal of snapshot {first['snapshot'][:12]} (version {before.id} came"
    )
    assert said(rehearsal)[1:] == said(before), "nothing was otherwise"
    assert rehearsal.metrics["gate"]["deciding"] == before.metrics["gate"]["deciding"] + 1
    assert rehearsal.metrics["repeats"] == first["snapshot"]
    assert "repeats" not in before.metrics
    with after.db.read() as tx:
        assert registry.last_gated(tx) == before, "what more ratings would prove is estimated from real nights"


def rate_more(shop: Shop, rated: World) -> None:
    world = replace(rated, db=shop.db, settings=shop.settings)
    for thing in THINGS[5:]:
        for verb in ("read", "write", "sort"):
            world.vote(world.ask(f"where does the code {verb} a {thing}"), f"{verb}_{thing}")


def test_later_ratings_and_another_champion_change_only_what_is_said_of_the_champion(
    after: Shop, night: Night, rated: World
) -> None:
    first = night.result
    with after.db.write() as tx:
        deployments.promote(tx, first["version"], "ann", "try it", START, forced=True)
    rate_more(after, rated)
    today = Order(recipe=within(DEFAULT, NIGHT["max_steps"]), seed=NIGHT["seed"], pairs_batch=None, scheduled=False)
    assert take_snapshot(after.db, encoder(), after.settings, today, START).hash != first["snapshot"]

    again = result_of(after.run({"snapshot": first["snapshot"]}))
    rehearsal = version_of(after, again)
    for arm in ("challenger", "base", "no_rerank"):
        assert figures(again, "held_out", arm) == pytest.approx(figures(first, "held_out", arm), abs=WITHIN)
    np.testing.assert_allclose(weights(after, rehearsal), weights(after, version_of(after, first)), atol=WITHIN)
    itself = again["metrics"]["held_out"]["challenger"]
    assert again["metrics"]["held_out"]["champion"] == pytest.approx(itself, abs=WITHIN), "the same training serves"
    assert rehearsal.metrics["against"]["version"] == first["version"]
    assert rehearsal.reasons[1].startswith(
        f"The champion is version {first['version']}; version {first['version']} was compared with version 0."
    )
    assert after.champion() == first["version"]


def test_what_is_otherwise_than_then_is_named_and_no_rating_is_used_up(shop: Shop) -> None:
    """The groups of a snapshot that no version was made of stay newly judged."""
    hesitant = shop.settings.model_copy(update={"min_new_groups": 1_000})
    shop.trainer = replace(shop.trainer, settings=hesitant)
    early = result_of(shop.run(NIGHT, by="schedule"))
    assert early["version"] is None
    again = result_of(shop.run({"snapshot": early["snapshot"], "seed": 8, "max_steps": 2}))
    assert "(no version came of it)" in again["reasons"][0]
    assert again["reasons"][1].startswith("Not as it was then: the recipe's max steps is 2 (was 3); seed is 8 (was 7).")
    assert version_of(shop, again).metrics["training"]["steps"] == 2
    with shop.db.read() as tx:
        assert registry.judged_groups(tx) == frozenset()


def test_what_the_gate_would_promote_is_not_promoted_by_itself(shop: Shop, base: Path) -> None:
    """A job that is taken up again settles what it has published, as the first time."""
    job = shop.enqueue()
    publish_for(shop, job, Decision.PROMOTE, base, metrics={"repeats": "0" * 64})
    shop.worker().run_one()
    result = result_of(shop.job(job.id))
    assert (result["promoted"], result["decision"]) == (False, Decision.PROMOTE)
    assert "never promoted by itself" in result["promotion"]
    assert shop.champion() == FIRST_STAGE_VERSION
    with shop.db.read() as tx:
        against = deployments.objection(tx, registry.get(tx, result["version"]))
    assert against is not None
    assert "rehearsal" in against


def test_a_snapshot_whose_texts_are_gone_is_not_repeated_in_part(after: Shop, night: Night) -> None:
    first = night.result
    with after.db.read() as tx:
        lost = snapshots.load(tx, first["snapshot"]).pairs[0].content_hash
    raw = sqlite3.connect(after.settings.data / "rankloop.db")
    with raw:
        raw.execute("DELETE FROM texts WHERE content_hash = ?", (lost,))
    raw.close()
    again = result_of(after.run({"snapshot": first["snapshot"]}))
    assert again["version"] is None
    (reason,) = again["reasons"]
    assert f"Snapshot {first['snapshot'][:12]} can't be repeated: 1 of its" in reason


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"snapshot": "0" * 64}, "no snapshot 000000000000"),
        ({"snapshot": "abc"}, "names no snapshot"),
        ({"snapshot": 12345678}, "must be a hash"),
    ],
)
def test_an_unknown_snapshot_fails_with_a_reason(shop: Shop, params: Json, words: str) -> None:
    job = shop.run(params)
    assert job.state is JobState.FAILED
    assert words in str(job.error)


def test_a_snapshot_brings_its_own_imported_pairs(shop: Shop) -> None:
    rows = [(f"how to do {n}", f"def do_{n}(): pass", 1.0 - n % 2) for n in range(20)]
    shop.import_pairs([*rows, *((query, f"{text} # {label}", 1.0 - label) for query, text, label in rows)])
    first = result_of(shop.run({**NIGHT, "recipe": "seed", "pairs_batch": "file"}))
    again = result_of(shop.run({"snapshot": first["snapshot"]}))
    assert said(version_of(shop, again))[1:] == said(version_of(shop, first))
    assert version_of(shop, again).metrics["training"]["epochs"] == 3, "as many as an imported file gets"
    refused = shop.run({"snapshot": first["snapshot"], "pairs_batch": "file"})
    assert "leave pairs_batch out" in str(refused.error)
