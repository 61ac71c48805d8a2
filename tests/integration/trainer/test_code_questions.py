"""Docstrings of a real index as training lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from store import chunks, general, golden, queries, texts
from store.errors import Cancelled
from store.types import Pair, PairSource, Split
from tests.integration.trainer.code_world import THINGS, VERBS, World, encoder, function, make_world
from trainer import embed
from trainer.code_questions import CodePolicy
from trainer.dataset import POLICIES, build

POLICY = replace(POLICIES["default"], code=CodePolicy(shortest=10, candidates=6, neighbours=12))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(general, "LEAST", 10)
    made = make_world(tmp_path)
    with made.db.write() as tx:
        asked = [
            (f"{verb.capitalize()} a {thing} as it is", f"{thing}.py", function(verb, thing).content_hash)
            for thing in THINGS
            for verb in VERBS
        ]
        general.replace_for_repo(tx, "code", asked)
    return made


def rate(world: World, wrong_too: bool = True) -> None:
    for verb in VERBS[:6]:
        answer = world.ask(f"where does the code {verb} a file")
        world.vote(answer, f"{verb}_file")
        if wrong_too:
            world.vote(answer, f"{verb}_image", False)


def code_rows(world: World) -> list[Pair]:
    snapshot = build(world.db, encoder(), world.settings, world.now, recipe="default", policy=POLICY)
    return [pair for pair in snapshot.pairs if pair.source is PairSource.CODE_QUESTION]


def test_docstrings_of_files_outside_the_general_set_become_lists(world: World) -> None:
    rate(world)
    rows = code_rows(world)
    with world.db.read() as tx:
        allowed = {query for _, query, _, _ in general.for_training(tx, 999)}
        guards = {query for _, query, _, _ in general.guards(tx, 999)}
        passages = texts.get(tx, [row.content_hash for row in rows])
    asked = {row.query for row in rows}
    assert asked == allowed
    assert guards
    assert not asked & guards
    assert all('"""' not in text for text in passages.values())
    assert {row.content_hash for row in rows} == passages.keys(), "every passage's text is stored"
    lists = defaultdict(list)
    for row in rows:
        assert row.group_id < 0, "no query group has it"
        lists[row.group_id].append(row)
    for members in lists.values():
        (right,) = [row for row in members if row.label == 1]
        assert 2 <= len(members) <= 6
        verb, thing = right.query.lower().split(" a ")
        assert f"{thing.split()[0]}.{verb}" in passages[right.content_hash]


@pytest.mark.parametrize(("share", "least", "total"), [(0.3, 30.0, 30.0), (0.5, 0.0, 3.0)])
def test_code_questions_weigh_a_share_of_the_ratings_and_at_least_their_floor(
    world: World, share: float, least: float, total: float
) -> None:
    with world.db.write() as tx:
        places = [f"where does the code {verb} a file" for verb in VERBS[:6]]
        vectors = encoder().encode(places)
        for query, vector in zip(places, vectors, strict=True):
            queries.add(tx, query, vector, None, Split.TRAIN, world.now)
    rate(world)
    policy = replace(POLICY, code=replace(POLICY.code, share=share, least_weight=least))
    snapshot = build(world.db, encoder(), world.settings, world.now, recipe="default", policy=policy)
    right = [row.weight for row in snapshot.pairs if row.source is PairSource.CODE_QUESTION and row.label == 1]
    assert sum(right) == pytest.approx(total)


def test_what_a_person_or_a_golden_question_asks_is_not_trained_on_in_a_docstrings_words(world: World) -> None:
    rate(world)
    before = sorted({row.query for row in code_rows(world)})
    with world.db.write() as tx:
        vector = encoder().encode_one(before[0].upper() + "?")
        queries.add(tx, before[0].upper() + "?", vector, None, Split.HELD_OUT, world.now)
        golden.add(tx, before[1] + ".", "code", ["file.py"], world.now)
    assert {row.query for row in code_rows(world)} == set(before[2:])


def test_no_chunk_of_a_guarding_file_is_a_passage(world: World) -> None:
    rate(world)
    rows = code_rows(world)
    with world.db.read() as tx:
        passages = texts.get(tx, [row.content_hash for row in rows])
    guarding = [thing for thing in THINGS if general.guards_file(f"{thing}.py")]
    assert guarding
    assert not [text for text in passages.values() for thing in guarding if f"({thing})" in text]


def test_a_night_that_trains_nothing_makes_none(world: World) -> None:
    rate(world)
    asked: list[int] = []

    def never(groups: Sequence[int]) -> bool:
        asked.append(len(groups))
        return False

    made = build(world.db, encoder(), world.settings, world.now, recipe="default", policy=POLICY, enough=never)
    assert asked == [6]
    assert made.pairs
    assert not [pair for pair in made.pairs if pair.source is PairSource.CODE_QUESTION]


def test_a_cancelled_build_stops_while_it_encodes(world: World) -> None:
    rate(world)
    with pytest.raises(Cancelled):
        build(world.db, encoder(), world.settings, world.now, recipe="default", policy=POLICY, cancelled=lambda: True)


def test_encoding_tells_how_far_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rate(world)
    monkeypatch.setattr(embed, "_BATCH", 2)
    heard: list[tuple[int, int]] = []

    def encoded(done: int, total: int) -> None:
        heard.append((done, total))

    build(world.db, encoder(), world.settings, world.now, recipe="default", policy=POLICY, encoded=encoded)
    assert len(heard) > 1
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})
    assert heard[-1][0] == heard[-1][1]


def test_without_a_rating_that_teaches_there_are_none(world: World) -> None:
    assert code_rows(world) == []
    answer = world.ask("where does the code read a file")
    world.vote(answer, "read_file", False)
    assert code_rows(world) == []


def test_a_second_night_encodes_nothing_anew_and_gives_the_same_rows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate(world)
    first = code_rows(world)
    seen: list[str] = []
    plain = encoder().encode

    def counting(batch: list[str]) -> object:
        seen.extend(batch)
        return plain(batch)

    monkeypatch.setattr(encoder(), "encode", counting)
    assert code_rows(world) == first
    assert not [text for text in seen if "return" in text]


def test_a_chunk_that_is_gone_asks_nothing(world: World) -> None:
    rate(world)
    before = {row.query for row in code_rows(world)}
    gone = next(thing for thing in THINGS[1:] if any(f" {thing} " in query for query in before))
    with world.db.write() as tx:
        chunks.replace_file(tx, "code", f"{gone}.py", [], world.now)
        left = [
            (query, f"{thing}.py", digest)
            for query, thing, digest in (
                (f"{verb.capitalize()} a {thing} as it is", thing, function(verb, thing).content_hash)
                for thing in THINGS
                if thing != gone
                for verb in VERBS
            )
        ]
        general.replace_for_repo(tx, "code", left)
    assert {row.query for row in code_rows(world)} == {query for query in before if f" {gone} " not in query}
