"""What is given beside ratings: golden questions and imported pairs."""

from __future__ import annotations

from store import golden, imports, queries, texts
from store.types import PairSource, Split
from tests.integration.trainer.code_world import THINGS, VERBS, World, encoder, function, question, rate_all
from trainer.dataset import build
from trainer.field import lay_out
from trainer.grouping import group_queries
from trainer.split import hash_split


def test_golden_questions_are_strong_even_if_nobody_asked_them(world: World) -> None:
    verb = next(v for v in VERBS if hash_split(question(v, "file")) is Split.TRAIN)
    with world.db.write() as tx:
        golden.add(tx, question(verb, "file"), "code", [world.ids[f"{verb}_file"]], world.now)
        golden.add(tx, "where is the moon", "code", ["moon.py"], world.now)
    snapshot = build(world.db, encoder(), world.settings, world.now)
    positive = [pair for pair in snapshot.pairs if pair.label == 1.0]
    assert [pair.source for pair in positive] == [PairSource.GOLDEN]
    assert PairSource.HARD_NEGATIVE in {pair.source for pair in snapshot.pairs}
    assert snapshot.train_queries == (), "a list made now is no logged evidence"
    assert len(snapshot.stats["golden_lost"]) == 1


def test_a_bridged_golden_question_gives_its_group_no_list(world: World) -> None:
    verb = next(v for v in VERBS if hash_split(question(v, "file")) is Split.TRAIN)
    asked, paraphrase = question(verb, "file"), f"{question(verb, 'file')} please"
    with world.db.write() as tx:
        for query in (paraphrase, asked):
            golden.add(tx, query, "code", [world.ids[f"{verb}_file"]], world.now)
    group_queries(world.db, encoder(), [asked, paraphrase], world.now)
    with world.db.write() as tx:
        first, second = queries.known(tx)
        assert first.group_id == second.group_id
        queries.mark_bridged(tx, second.id)
    snapshot = build(world.db, encoder(), world.settings, world.now)
    assert {pair.query for pair in snapshot.pairs} == {asked}


def test_golden_questions_guard_only_where_no_paraphrase_was_trained_on(world: World) -> None:
    trained, *others = [v for v in VERBS if hash_split(question(v, "file")) is Split.TRAIN]
    world.vote(world.ask(question(trained, "file")), f"{trained}_file")
    snapshot = build(world.db, encoder(), world.settings, world.now)
    assert snapshot.pairs
    untouched = question(others[0], "file")
    with world.db.write() as tx:
        golden.add(tx, f"{question(trained, 'file')} please", "code", ["file.py"], world.now)
        golden.add(tx, untouched, "code", ["file.py"], world.now)
    field = lay_out(world.db, encoder(), world.settings, snapshot, world.now)
    assert [one.query for one in field.golden] == [untouched]


def test_held_out_lists_of_imported_passages_are_kept_apart(world: World) -> None:
    rate_all(world, THINGS[:1])
    rows = [(question(v, "image"), function(v, t).text, float(t == "image")) for v in VERBS for t in THINGS[:3]]
    with world.db.write() as tx:
        imports.add_pairs(tx, "batch", rows, world.now)
    snapshot = build(world.db, encoder(), world.settings, world.now)
    field = lay_out(world.db, encoder(), world.settings, snapshot, world.now)
    assert field.held_out
    assert {one.query for one in field.held_out} <= {question(verb, "file") for verb in VERBS}
    assert field.imported_lists
    assert {one.query for one in field.imported_lists} <= {query for query, _, _ in rows}


def test_imported_pairs_alone_make_a_dataset_with_named_lists(world: World) -> None:
    rows = [
        (question(verb, thing), function(verb, other).text, float(thing == other))
        for verb in VERBS
        for thing in THINGS[:4]
        for other in THINGS[:4]
    ]
    with world.db.write() as tx:
        imports.add_pairs(tx, "batch", rows, world.now)
    snapshot = build(world.db, encoder(), world.settings, world.now, recipe="seed", sources="imported")
    with world.db.read() as tx:
        sides = queries.group_of(tx)
    train = {query for query, _, _ in rows if sides[queries.normalise(query)][1:] == (Split.TRAIN, False)}
    assert {pair.source for pair in snapshot.pairs} == {PairSource.IMPORTED}, "the file as it is"
    assert len(snapshot.pairs) == sum(query in train for query, _, _ in rows)
    assert all(pair.dense_score > 0 for pair in snapshot.pairs)
    assert snapshot.held_out
    lists = snapshot.stats["imported_lists"]
    assert set(lists["groups"]) == {query.group_id for query in (*snapshot.held_out, *snapshot.train_queries)}
    assert (lists["held_out"], lists["train"]) == (len(snapshot.held_out), len(snapshot.train_queries))
    for query in snapshot.held_out:
        assert list(query.dense_scores) == sorted(query.dense_scores, reverse=True)
        assert sum(grade == 1.0 for grade in query.relevance.values()) == 1
    assert any("prove nothing" in sentence for sentence in snapshot.stats["missing"])
    with world.db.read() as tx:
        assert texts.get_vectors(tx, encoder().name, {pair.content_hash for pair in snapshot.pairs})


def test_an_asked_group_keeps_its_logged_list_beside_imported_pairs(world: World) -> None:
    rate_all(world, THINGS[:1])
    with world.db.write() as tx:
        rows = [(question(v, "file"), function(v, t).text, float(t == "file")) for v in VERBS for t in THINGS[:3]]
        imports.add_pairs(tx, "batch", rows, world.now)
    snapshot = build(world.db, encoder(), world.settings, world.now)
    assert snapshot.stats["imported_lists"]["groups"] == []
    assert {len(query.content_hashes) for query in snapshot.train_queries} == {50}
