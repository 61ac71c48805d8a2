"""Questions that a second person asked and judged: apart from training, and evidence of what rating is worth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from server.compare import pair
from store import deployments, evaluations, golden, jobs, judgments, registry, snapshots
from store.types import FIRST_STAGE_VERSION, JobKind, JobState, PairSource, Snapshot, Split
from tests.integration.trainer.code_world import START, THINGS, VERBS, World, encoder, make_world, question
from tests.integration.trainer.shop import FEW_STEPS, Shop, result_of
from trainer.dataset import build
from trainer.second_opinions import traffic_of

ASKED = [(verb, thing) for thing in THINGS[:5] for verb in VERBS]
BOB = ("read", THINGS[0])
"""Where bob holds another chunk right than ann."""


def a_night(world: World) -> None:
    """A nightly job that ended well, between what was said until now and what will be."""
    began, world.now = world.now + timedelta(hours=6), world.now + timedelta(hours=8)
    with world.db.write() as tx:
        jobs.enqueue(tx, JobKind.NIGHTLY, {}, "schedule", began)
    job = jobs.claim(world.db, [JobKind.NIGHTLY], "host:1", timedelta(hours=1), began)
    assert job is not None
    with world.db.write() as tx:
        jobs.finish(tx, job.id, JobState.SUCCEEDED, {}, None, world.now, owner="host:1")


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Every question asked by ann and then by bob; both vote for a right one, bob also against another."""
    world = make_world(tmp_path_factory.mktemp("twice"))
    for verb, thing in ASKED:
        world.vote(world.ask(question(verb, thing), actor="ann"), f"{verb}_{thing}")
    a_night(world)
    for number, (verb, thing) in enumerate(ASKED):
        again = world.ask(question(verb, thing), actor="bob")
        right = f"write_{thing}" if (verb, thing) == BOB else f"{verb}_{thing}"
        world.vote(again, right, actor="bob")
        world.vote(again, f"{VERBS[number % 10 - 1]}_{thing}", right=False, actor="bob")
    world.db.dispose()
    return world


@pytest.fixture
def shop(twice: World, tmp_path: Path, base: Path) -> Iterator[Shop]:
    made = Shop(twice, tmp_path, base)
    yield made
    made.db.dispose()


def snapshot_of(shop: Shop) -> Snapshot:
    return build(shop.db, encoder(), shop.settings, START, recipe="default")


def test_the_data_set_keeps_bob_s_word_apart_from_what_ann_had_said(shop: Shop) -> None:
    snapshot = snapshot_of(shop)
    opinions = {one.query.query: one for one in snapshot.second_opinions}
    assert len(opinions) > 30
    assert all(one.query.split is Split.TRAIN for one in opinions.values())
    for one in opinions.values():
        said = [pair for pair in one.pairs if pair.source is PairSource.CHUNK_VOTE]
        assert {pair.reason.split(":")[0] for pair in said} == {"ann"}, "nothing that bob said is in these pairs"
        assert set(one.query.relevance.values()) == {0.0, 1.0}
    with shop.db.read() as tx:
        assert snapshots.load(tx, snapshot.hash) == snapshot
        heard = snapshots.signal_ids(tx, snapshot.hash)
    assert all(heard & set(one.signal_ids) for one in opinions.values())
    traffic = traffic_of(snapshot.params)
    assert traffic.answers == 2 * len(ASKED)
    assert set(traffic.again) <= {one.query.group_id for one in opinions.values()}
    assert len(opinions) <= sum(traffic.again.values()) < len(ASKED)
    odd = opinions.get(question(*BOB))
    if odd is not None:
        (right,) = (name for name, grade in odd.query.relevance.items() if grade > 0)
        (taught,) = (pair.content_hash for pair in odd.pairs if pair.label > 0.5)
        assert right != taught


def test_what_has_neither_time_nor_person_of_its_own_is_no_second_opinion(shop: Shop) -> None:
    """A golden question or an override may say what the last person said, beside what others had said before."""
    groups = {one.query.query: one.query.group_id for one in snapshot_of(shop).second_opinions}
    first, second, third = sorted(groups)[:3]
    with shop.db.write() as tx:
        made = judgments.list_page(tx, group_id=groups[second])[0][0]
        judgments.override(tx, made.id, "veto", None, "boss", "no", START)
        golden.add(tx, first, None, ["file.py"], START)
    left = {one.query.group_id for one in snapshot_of(shop).second_opinions}
    assert {groups[first], groups[second]}.isdisjoint(left)
    assert groups[third] in left


def test_the_gate_sees_what_rating_was_worth_to_who_asked_again(shop: Shop) -> None:
    result = result_of(shop.run(FEW_STEPS))
    arms = result["metrics"]["second_opinions"]
    assert set(arms) == {"no_rerank", "base", "champion", "challenger"}
    with shop.db.read() as tx:
        version = registry.get(tx, result["version"])
        stored = evaluations.load(tx, version.id, "challenger", "second_opinions")
        first = registry.get(tx, FIRST_STAGE_VERSION)
        rows = evaluations.load(tx, version.id)
        snapshot = snapshots.load(tx, result["snapshot"])
    assert len(stored) == arms["challenger"]["queries"] == len(snapshot.second_opinions)
    seen = version.metrics["gate"]["champion"]
    assert seen["opinions"]["questions"] == len(stored)
    assert seen["opinions"]["share"] == pytest.approx(
        traffic_of(snapshot.params).share({row.group_id for row in stored})
    )
    card = (shop.settings.models_dir / str(version.path) / "README.md").read_text(encoding="utf-8")
    assert "### Second opinions" in card
    assert any("a night could have learned from somebody else" in reason for reason in result["reasons"])
    compared = [one for one in pair(first, version, [], rows) if one.a.evidence == "second_opinions"]
    assert len(compared) == len(stored)


def test_a_version_is_not_measured_by_opinions_that_it_was_trained_on(shop: Shop) -> None:
    """Nobody spoke since the first night, so its version has heard everybody."""
    first = result_of(shop.run(FEW_STEPS))
    with shop.db.write() as tx:
        deployments.promote(tx, first["version"], "boss", "to be challenged", START, forced=True)
    second = result_of(shop.run({**FEW_STEPS, "seed": 3}))
    assert "second_opinions" not in second["metrics"]
    with shop.db.read() as tx:
        version = registry.get(tx, second["version"])
        rows = [evaluations.load(tx, number) for number in (first["version"], second["version"])]
        before = registry.get(tx, first["version"])
    assert "opinions" not in version.metrics["gate"]["champion"]
    assert {row.arm for row in rows[1] if row.evidence == "second_opinions"} == {"no_rerank", "base", "challenger"}
    joined = pair(before, version, *rows)
    assert joined
    assert all(one.a.evidence != "second_opinions" for one in joined)


def test_a_rehearsal_sees_the_same_opinions(shop: Shop) -> None:
    first = result_of(shop.run(FEW_STEPS))
    again = result_of(shop.run({**FEW_STEPS, "snapshot": first["snapshot"]}))
    assert again["metrics"]["second_opinions"] == first["metrics"]["second_opinions"]
    assert again["decision"] == first["decision"]


def test_fine_tuning_is_measured_without_them(shop: Shop) -> None:
    result = result_of(shop.run({**FEW_STEPS, "recipe": "listwise"}))
    assert "second_opinions" not in result["metrics"]
