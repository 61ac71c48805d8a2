from __future__ import annotations

from datetime import timedelta

import pytest

from store import impressions, judgments, queries, repos, snapshots
from store.types import PairSource, SignalKind, Split
from tests.integration.trainer.code_world import THINGS, VERBS, World, encoder, function, question, rate_all
from trainer.dataset import DatasetPolicy, build
from trainer.judging import judge_all
from trainer.judgments import judgment_id
from trainer.mine import MinePolicy
from trainer.split import hash_split


def test_ratings_become_pairs_lists_and_a_saved_snapshot(world: World) -> None:
    rate_all(world)
    snapshot = build(world.db, encoder(), world.settings, world.now, params={"recipe": "default"}, recipe="listwise")
    with world.db.read() as tx:
        assert snapshots.load(tx, snapshot.hash) == snapshot
        assert len(judgments.all_of(tx)) == snapshot.stats["judgments"]["all"] == 40
        assert len(snapshots.signal_ids(tx, snapshot.hash)) == 40
        where = queries.group_of(tx)
    assert snapshot.train_queries
    assert snapshot.held_out
    held_out = {query.group_id for query in snapshot.held_out}
    assert held_out == {group for group, split, _ in where.values() if split is Split.HELD_OUT}
    assert not held_out & {pair.group_id for pair in snapshot.pairs}
    for query in (*snapshot.train_queries, *snapshot.held_out):
        assert len(query.content_hashes) == 50
        assert list(query.dense_scores) != [0.0] * 50
        assert set(query.relevance.values()) == {1.0}
    positives = [pair for pair in snapshot.pairs if pair.label == 1.0]
    assert {pair.source for pair in positives} == {PairSource.CHUNK_VOTE}
    assert {pair.source for pair in snapshot.pairs if pair.label == 0.0} == {
        PairSource.HARD_NEGATIVE,
        PairSource.RANDOM_NEGATIVE,
    }
    assert all(pair.reason and pair.dense_score != 0 for pair in snapshot.pairs)
    assert min(pair.dense_score for pair in positives) > 0.3
    assert snapshot.params["recipe"] == "default"


def test_the_same_database_and_seed_give_the_same_snapshot(world: World) -> None:
    rate_all(world, THINGS[:2])
    first = build(world.db, encoder(), world.settings, world.now, seed=3)
    again = build(world.db, encoder(), world.settings, world.now + timedelta(days=1), seed=3)
    other = build(world.db, encoder(), world.settings, world.now, seed=4)
    assert first.hash == again.hash
    assert first.hash != other.hash


def test_a_query_stays_on_its_side_and_a_paraphrase_joins_it(world: World) -> None:
    query = next(question(v, t) for t in THINGS for v in VERBS if hash_split(question(v, t)) is Split.HELD_OUT)
    verb, thing = query.split()[4], query.split()[6]
    world.vote(world.ask(query), f"{verb}_{thing}")
    build(world.db, encoder(), world.settings, world.now)
    world.vote(world.ask(f"{query.upper()}?"), f"{verb}_{thing}", actor="bob")
    world.vote(world.ask(f"{query} please"), f"{verb}_{thing}", actor="cy")
    snapshot = build(world.db, encoder(), world.settings, world.now)
    assert snapshot.pairs == ()
    assert [query.split for query in snapshot.held_out] == [Split.HELD_OUT]
    with world.db.read() as tx:
        assert [judgment.actors for judgment in judgments.all_of(tx)] == [("ann", "bob", "cy")]
        assert len(queries.groups(tx)) == 1


def test_a_correction_to_a_chunk_that_was_no_candidate_trains_but_decides_nothing(world: World) -> None:
    query = next(question(v, "file") for v in VERBS if hash_split(question(v, "file")) is Split.TRAIN)
    answer = world.ask(query)
    with world.db.read() as tx:
        listed = {row.chunk_id for row in impressions.get(tx, answer).rows}
    symbol = next(name for name, chunk_id in world.ids.items() if chunk_id not in listed)
    world.say(answer, SignalKind.CORRECTION, True, symbol)
    snapshot = build(world.db, encoder(), world.settings, world.now)
    positive = [pair for pair in snapshot.pairs if pair.label == 1.0]
    assert [pair.source for pair in positive] == [PairSource.CORRECTION]
    assert positive[0].dense_score > 0
    assert (snapshot.train_queries, snapshot.held_out) == ((), ())
    assert snapshot.stats["undecided"] == {"no positive among the candidates": 1}
    assert any("held-out" in sentence for sentence in snapshot.stats["missing"])


def test_a_shallow_list_is_no_evidence(world: World) -> None:
    verb = next(v for v in VERBS if hash_split(question(v, "file")) is Split.TRAIN)
    world.vote(world.ask(question(verb, "file"), depth=20), f"{verb}_file")
    snapshot = build(world.db, encoder(), world.settings, world.now)
    assert snapshot.train_queries == ()
    assert snapshot.stats["undecided"] == {"no full candidate list": 1}
    assert snapshot.pairs, "it still trains"


def test_the_same_words_asked_of_another_repository_are_no_evidence(world: World) -> None:
    with world.db.write() as tx:
        repos.add(tx, "other", "/other", world.now)
    world.index("elsewhere", [function("read", "elsewhere"), function("write", "elsewhere")], repo="other")
    rated = world.ask(question("read", "file"))
    world.vote(rated, "read_file")
    world.ask(question("read", "file"), repo="other", cited=(1,))

    built = build(world.db, encoder(), world.settings, world.now)

    lists = [*built.train_queries, *built.held_out]
    assert [len(one.content_hashes) for one in lists] == [50]
    assert lists[0].relevance.keys() & set(lists[0].content_hashes)


def test_a_list_as_deep_as_the_server_reranks_is_evidence(world: World) -> None:
    verb = next(v for v in VERBS if hash_split(question(v, "file")) is Split.TRAIN)
    world.vote(world.ask(question(verb, "file"), depth=20), f"{verb}_file")
    shallow = world.settings.model_copy(update={"depth": 20})
    assert len(build(world.db, encoder(), shallow, world.now).train_queries) == 1


def test_judging_without_lists_gives_the_same_judgments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rate_all(world, THINGS[:1])
    world.ask(question("read", "socket"))
    build(world.db, encoder(), world.settings, world.now)
    with world.db.read() as tx:
        built = judgments.all_of(tx)
    assert built
    monkeypatch.setattr(impressions, "iterate", lambda tx: pytest.fail("every logged list was read"))
    judged = judge_all(world.db, encoder(), DatasetPolicy().judge, world.now, "ratings")
    assert sorted(judged.judgments, key=lambda one: one.id) == built


def test_judgments_follow_changed_code_and_retire_with_deleted_code(world: World) -> None:
    train = [v for v in VERBS if hash_split(question(v, "file")) is Split.TRAIN]
    changed, deleted = train[0], train[1]
    for verb in (changed, deleted):
        world.vote(world.ask(question(verb, "file")), f"{verb}_file")
    drafts = [function(v, "file", "fast" if v == changed else "run") for v in VERBS if v != deleted]
    old = function(changed, "file").content_hash
    new = function(changed, "file", "fast").content_hash
    world.index("file", drafts)
    snapshot = build(world.db, encoder(), world.settings, world.now)
    with world.db.read() as tx:
        made = {judgment.content_hash: judgment for judgment in judgments.all_of(tx)}
    assert "follows" in made[new].reasons[0]
    assert made[function(deleted, "file").content_hash].retired
    assert [pair.content_hash for pair in snapshot.pairs if pair.label == 1.0] == [new]
    assert [query.relevance[old] for query in snapshot.train_queries] == [1.0], "the logged list holds the old text"
    assert snapshot.stats["judgments"]["retired"] == 1


def test_a_vetoed_judgment_neither_trains_nor_decides(world: World) -> None:
    rate_all(world, THINGS[:1])
    first = build(world.db, encoder(), world.settings, world.now)
    victim = next(pair for pair in first.pairs if pair.label == 1.0)
    with world.db.write() as tx:
        name = judgment_id(victim.group_id, victim.content_hash)
        judgments.override(tx, name, "veto", None, "lead", "wrong", world.now)
    second = build(world.db, encoder(), world.settings, world.now)
    assert victim.group_id not in {pair.group_id for pair in second.pairs}
    assert victim.group_id not in {query.group_id for query in second.train_queries}
    assert second.stats["judgments"]["vetoed"] == 1


def test_an_empty_database_says_what_is_missing(world: World) -> None:
    snapshot = build(world.db, encoder(), world.settings, world.now)
    assert (snapshot.pairs, snapshot.train_queries, snapshot.held_out) == ((), (), ())
    assert snapshot.stats["missing"] == [
        "Nothing has been rated or imported yet: rate some answers, or import labelled pairs."
    ]


def test_contradictory_votes_only_say_so(world: World) -> None:
    answer = world.ask(question("read", "file"))
    world.vote(answer, "read_file", True, "ann")
    world.vote(answer, "read_file", False, "bob")
    snapshot = build(world.db, encoder(), world.settings, world.now)
    assert snapshot.pairs == ()
    assert "contradictory" in snapshot.stats["missing"][0]


def test_the_policy_decides_how_many_negatives(world: World) -> None:
    rate_all(world, THINGS[:2])
    policy = DatasetPolicy(mine=MinePolicy(hard=3, random=2, share=2.0, duplicate=1.01))
    snapshot = build(world.db, encoder(), world.settings, world.now, policy=policy)
    groups = {pair.group_id for pair in snapshot.pairs}
    sources = [pair.source for pair in snapshot.pairs]
    assert sources.count(PairSource.HARD_NEGATIVE) == 3 * len(groups)


def test_a_truth_that_is_one_persons_is_pointed_out_where_others_rate_too(world: World) -> None:
    def says() -> tuple[int, list[str]]:
        stats = build(world.db, encoder(), world.settings, world.now).stats
        return stats["truth_of_one_actor"]["groups"], [one for one in stats["missing"] if "decides alone" in one]

    answers = {verb: world.ask(question(verb, "file")) for verb in VERBS}
    for verb, answer in answers.items():
        world.vote(answer, f"{verb}_file", actor="ann")
    assert says() == (10, []), "somebody who rates alone is told that already"
    world.vote(answers["read"], "read_file", actor="bob")
    groups, (sentence,) = says()
    assert groups == 9
    assert "One of the 2 actors who rate decides alone what is right in 9 of the 10" in sentence
    assert "(90%)" in sentence
    world.vote(answers["write"], "write_file", actor="bob")
    assert says() == (8, []), "the limit is more than 80 %"
