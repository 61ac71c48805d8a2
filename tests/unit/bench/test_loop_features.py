"""Features kept between cells give the artefact's own logits, and what HTTP answered is compared chunk by chunk."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.corpus import Corpus, Question
from bench.loop.features import FastScorer, Hastened, KeptFeatures
from bench.loop.lanes import lane
from bench.loop.predecessor import predecessor_pairs
from bench.loop.scoring import agreement, artefact, fast, no_rerank, orders, ranks
from bench.loop.world import World
from store.engines.fast import FastScorer as Served
from store.scorer import Scorer
from store.types import AnswerKind, Blend, Candidate, Chunk, Impression, ImpressionRow
from tests import tiny
from tests.unit.bench.cells import moment

QUERY = "sort a list"
TEXTS = ["def sort(items): ...", "def open_file(path): ...", "def merge(a, b): ..."]
BLEND = Blend(dense=20.0, lexical=2.0, rerank=1.0)


def candidates() -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            Chunk(rank, "r", f"{rank}.py", 1, 2, "", "python", str(rank), text),
            dense_score=0.5,
            lexical_score=0.0,
            fused_score=0.5,
            first_stage_rank=rank,
        )
        for rank, text in enumerate(TEXTS, start=1)
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.pooled_cross_encoder(tmp_path_factory.mktemp("bench") / "model", max_length=64)


@pytest.fixture
def world(tmp_path: Path) -> World:
    corpus = Corpus("tiny", {}, (Question(QUERY, frozenset({"2.py"})),))
    return World(corpus, tmp_path, {QUERY: candidates()}, {QUERY: QUERY})


def test_kept_features_give_the_scorers_own_logits_and_are_computed_once(
    model: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = Scorer.load(model, max_length=64)
    first = KeptFeatures(model, 64, world.root, world.lists)
    made = FastScorer(first.shortcut(model, scorer)).score(QUERY, TEXTS[:1])
    assert made == pytest.approx(scorer.score(QUERY, TEXTS[:1]), abs=1e-5)
    again = KeptFeatures(model, 64, world.root, world.lists)
    monkeypatch.setattr(Scorer, "features", lambda *_, **__: pytest.fail("the list was kept on disk"))
    kept = FastScorer(again.shortcut(model, scorer)).score(QUERY, TEXTS)
    assert kept == pytest.approx(scorer.score(QUERY, TEXTS), abs=1e-5)


def test_an_artefact_ranks_alike_fast_and_slow(model: Path, world: World) -> None:
    slow = artefact(model, BLEND, 64)
    quick = fast(slow, model, KeptFeatures(model, 64, world.root, world.lists))
    questions = world.corpus.questions
    assert orders(world, questions, quick) == orders(world, questions, slow)
    assert ranks(world, questions, quick) == ranks(world, questions, slow)


def test_no_rerank_keeps_the_first_stages_order(world: World) -> None:
    assert orders(world, world.corpus.questions, no_rerank(0.1)) == ((1, 2, 3),)
    assert ranks(world, world.corpus.questions, no_rerank(0.1)) == [2]


def test_agreement_sees_a_wrong_score_another_order_and_another_list(model: Path, world: World) -> None:
    loaded = artefact(model, BLEND, 64)
    _, final = loaded.score(QUERY, TEXTS, [0.5] * 3, [0.0] * 3)
    best = np.argsort(-final)
    served = [(int(place) + 1, float(final[place])) for place in best]
    assert agreement(world, {QUERY: served}, loaded) == pytest.approx(0.0, abs=1e-6)
    off = [(served[0][0], served[0][1] + 0.5), *served[1:]]
    assert agreement(world, {QUERY: off}, loaded) == pytest.approx(0.5, abs=1e-6)
    assert agreement(world, {QUERY: served[:2]}, loaded) == math.inf
    if final.max() - final.min() > 1e-3:
        assert agreement(world, {QUERY: served[::-1]}, loaded) == math.inf


def test_the_predecessor_takes_rank_one_for_right_and_the_next_four_for_wrong() -> None:
    rows = tuple(
        ImpressionRow(number, str(number), 0.5, 0.0, 0.5, None, 0.5, number, number, number <= 8, number == 2)
        for number in range(1, 11)
    )
    shown = Impression("a", QUERY, "r", "person-01", AnswerKind.ANSWER, 0, moment(), rows)
    pairs = predecessor_pairs(shown, 3)
    assert [(pair.content_hash, pair.label) for pair in pairs] == [("1", 1.0), *((str(n), 0.0) for n in (2, 3, 4, 5))]
    assert {pair.group_id for pair in pairs} == {3}


def test_a_version_with_a_body_of_its_own_is_scored_as_it_would_be_served(model: Path) -> None:
    scorer = Scorer.load(model, max_length=64)
    made = Hastened(scorer).score(QUERY, TEXTS)
    assert made == pytest.approx(scorer.score(QUERY, TEXTS), abs=0.1)


def test_an_engine_that_orders_otherwise_is_not_taken(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Scorer.load(model, max_length=64)
    exact = scorer.score(QUERY, TEXTS)
    monkeypatch.setattr(Served, "score", lambda *_: -exact)
    hastened = Hastened(scorer)
    assert hastened.score(QUERY, TEXTS) == pytest.approx(exact, abs=1e-4)
    assert hastened.score(QUERY, TEXTS) == pytest.approx(exact, abs=1e-4)


def test_a_lane_copies_what_it_writes_and_links_what_both_read(tmp_path: Path) -> None:
    for name in ("index", "features", "bases", "code"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    for name in ("lists.json", "indexed"):
        (tmp_path / name).write_text("{}")

    place = lane(tmp_path, "a")
    (place / "index" / "file").write_text("its own")
    again = lane(tmp_path, "a")

    assert again == place
    assert (place / "index" / "file").read_text() == "its own"
    assert (tmp_path / "index" / "file").read_text() == "index"
    assert (place / "features").resolve() == (tmp_path / "features").resolve()
