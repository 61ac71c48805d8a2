"""A data directory whose encoder is changed: nothing of what people said is lost, and no scores of two are mixed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from server.indexing.embed import embed_missing
from store import judgments, queries, texts
from store.encoder import Encoder
from store.types import EvalQuery, Snapshot, Split, Vector
from tests import tiny
from tests.integration.trainer.code_world import VERBS, World, encoder, function, question, rate_all
from trainer.dataset import build
from trainer.split import hash_split


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = tiny.mpnet_encoder(tmp_path_factory.mktemp("encoders") / "other")
    return Encoder.load(f"{encoder().name}+{folder}")


def lists(snapshot: Snapshot) -> dict[int, EvalQuery]:
    return {one.group_id: one for one in (*snapshot.train_queries, *snapshot.held_out)}


def bridged(world: World) -> set[int]:
    with world.db.read() as tx:
        return {group for group, _, apart in queries.group_of(tx).values() if apart}


def scores(one: EvalQuery) -> dict[str, float]:
    return dict(zip(one.content_hashes, one.dense_scores, strict=True))


def cosines(world: World, by: Encoder, query: str, names: tuple[str, ...]) -> Vector:
    with world.db.read() as tx:
        text = texts.get(tx, names)
    made: Vector = by.encode([text[name] for name in names]) @ by.encode_one(query)
    return made


def test_all_scores_of_a_data_set_are_of_todays_encoder(world: World, joined: Encoder) -> None:
    rate_all(world)
    before = lists(build(world.db, encoder(), world.settings, world.now))
    snapshot = build(world.db, joined, world.settings, world.now)
    after = lists(snapshot)
    assert before.keys() - after.keys() == bridged(world), (
        "only what is near the held-out side in the new space is lost"
    )
    assert len(after) >= 10
    for group, one in after.items():
        want = cosines(world, joined, one.query, one.content_hashes)
        assert np.array(one.dense_scores) == pytest.approx(want, abs=2e-3)
        assert set(one.content_hashes) == set(before[group].content_hashes), "the candidates are those that were seen"
        assert one.relevance == before[group].relevance
        fused = np.array(one.dense_scores) + world.settings.first_stage_lexical * np.array(one.lexical_scores)
        assert (np.diff(fused) <= 1e-9).all(), "in the order that today's first stage gives them"
    assert any(one.content_hashes != before[group].content_hashes for group, one in after.items())
    for pair in snapshot.pairs:
        (want,) = cosines(world, joined, pair.query, (pair.content_hash,))
        assert pair.dense_score == pytest.approx(float(want), abs=2e-3)


def test_back_again_everything_is_as_it_was(world: World, joined: Encoder) -> None:
    rate_all(world)
    before = lists(build(world.db, encoder(), world.settings, world.now))
    build(world.db, joined, world.settings, world.now)
    again: Mapping[int, EvalQuery] = lists(build(world.db, encoder(), world.settings, world.now))
    for group, one in before.items():
        if group in bridged(world):
            continue
        assert scores(again[group]) == pytest.approx(scores(one), abs=2e-3)


def test_a_judgment_follows_code_that_changed_before_the_switch(world: World, joined: Encoder) -> None:
    """The old text is live nowhere, so only the judging can embed it."""
    verb = next(v for v in VERBS if hash_split(question(v, "file")) is Split.TRAIN)
    world.vote(world.ask(question(verb, "file")), f"{verb}_file")
    build(world.db, encoder(), world.settings, world.now)
    world.index("file", [function(v, "file", "fast" if v == verb else "run") for v in VERBS])
    embed_missing(world.db, joined, lambda _: None, lambda: False)
    snapshot = build(world.db, joined, world.settings, world.now)
    with world.db.read() as tx:
        (made,) = judgments.all_of(tx)
    assert made.content_hash == function(verb, "file", "fast").content_hash
    assert "follows" in made.reasons[0]
    assert snapshot.stats["judgments"]["retired"] == 0
