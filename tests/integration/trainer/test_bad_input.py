"""Data that can't teach or prove: scheduled and requested nights say what is missing, and the champion serves on.

Pair files with missing columns or labels that are no numbers never get here: the import refuses them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import registry
from store.types import FIRST_STAGE_VERSION, Json, Split
from tests.integration.trainer.code_world import THINGS, VERBS, World, function, make_world
from tests.integration.trainer.shop import FEW_STEPS, Shop, result_of
from trainer.split import hash_split

Place = tuple[str, str]
EVERYONE = ("schedule", "ann")


@pytest.fixture(scope="module")
def unrated(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("unrated"))
    made.db.dispose()
    return made


@pytest.fixture
def shop(unrated: World, tmp_path: Path, base: Path) -> Iterator[Shop]:
    made = Shop(unrated, tmp_path, base)
    yield made
    made.db.dispose()


@pytest.fixture
def world(unrated: World, shop: Shop) -> World:
    return World(shop.db, shop.settings, ids=dict(unrated.ids))


def question(place: Place) -> str:
    return "where does the code {} a {}".format(*place)


def places(split: Split, number: int) -> list[Place]:
    """So many functions whose question falls on this side."""
    every = [(verb, thing) for thing in THINGS for verb in VERBS if hash_split(question((verb, thing))) is split]
    assert len(every) >= number
    return every[:number]


def vote(world: World, place: Place, right: bool, *actors: str) -> None:
    answer = world.ask(question(place))
    for actor in actors:
        world.vote(answer, "_".join(place), right, actor)


def said(result: Json) -> str:
    return " ".join(result["reasons"])


@pytest.mark.parametrize("by", EVERYONE)
def test_contradictory_votes_only(shop: Shop, world: World, by: str) -> None:
    """After a night on an empty database, whose data set is equal, but for what it says."""
    assert "Nothing has been rated" in said(result_of(shop.run(by=by)))
    for place in places(Split.TRAIN, 2):
        answer = world.ask(question(place))
        world.vote(answer, "_".join(place), True, "ann")
        world.vote(answer, "_".join(place), False, "bob")
    result = result_of(shop.run(by=by))
    assert result["version"] is None
    assert "All judgments are contradictory" in said(result)
    assert "Nothing has been rated" not in said(result)
    assert shop.champion() == FIRST_STAGE_VERSION


@pytest.mark.parametrize("by", EVERYONE)
def test_chunks_that_no_longer_exist(shop: Shop, world: World, by: str) -> None:
    judged = places(Split.TRAIN, 2)
    for place in judged:
        vote(world, place, True, "ann")
    for thing in {thing for _, thing in judged}:
        world.index(thing, [function(verb, thing) for verb in VERBS if (verb, thing) not in judged])
    result = result_of(shop.run(by=by))
    assert result["version"] is None
    assert "Everything that was judged is no longer in the code" in said(result)


@pytest.mark.parametrize("by", EVERYONE)
def test_votes_of_one_class_only(shop: Shop, world: World, by: str) -> None:
    """Enough questions for a scheduled night, and not one right answer among them."""
    for place in places(Split.TRAIN, shop.settings.min_new_groups):
        vote(world, place, False, "ann", "bob")
    result = result_of(shop.run(FEW_STEPS, by=by))
    assert result["version"] is None
    assert "newly judged" not in said(result)
    assert "No question on the training side has a right answer yet" in said(result)


@pytest.mark.parametrize("by", EVERYONE)
def test_an_imported_file_without_a_right_answer(shop: Shop, by: str) -> None:
    shop.import_pairs([(question(place), function(*place).text, 0.0) for place in places(Split.TRAIN, 8)])
    result = result_of(shop.run(by=by))
    assert result["version"] is None
    assert "No question on the training side has a right answer yet" in said(result)


@pytest.mark.parametrize("by", EVERYONE)
def test_no_held_out_question_and_one_actor(shop: Shop, world: World, by: str) -> None:
    """It trains, and the version says beside the gate's reasons what its data set lacks; so does its card."""
    for place in places(Split.TRAIN, shop.settings.min_new_groups):
        vote(world, place, True, "ann")
    result = result_of(shop.run(FEW_STEPS, by=by))
    with shop.db.read() as tx:
        version = registry.get(tx, result["version"])
    card = (shop.settings.models_dir / str(version.path) / "README.md").read_text(encoding="utf-8")
    for sentence in ("No held-out question has a judged right chunk", "All ratings come from one actor"):
        assert sentence in said(result)
        assert sentence in " ".join(version.reasons[version.metrics["gate"]["deciding"] :])
        assert sentence in card
    assert shop.champion() == FIRST_STAGE_VERSION


@pytest.mark.parametrize("by", EVERYONE)
def test_nothing_but_a_few_ratings_of_one_actor(shop: Shop, world: World, by: str) -> None:
    vote(world, places(Split.HELD_OUT, 1)[0], True, "ann")
    result = result_of(shop.run(by=by))
    assert result["version"] is None
    assert "All ratings come from one actor" in said(result)
    assert ("newly judged" in said(result)) is (by == "schedule")
