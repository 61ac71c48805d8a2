from __future__ import annotations

from datetime import timedelta

import pytest

from store import conversations, impressions
from store.database import Database
from store.errors import Conflict, InvalidInput, NotFound
from tests.integration.store.code import NOW, add_answer, add_chunks, answer, candidates


def test_every_candidate_is_logged_as_it_was_scored(db: Database) -> None:
    with db.write() as tx:
        found = add_chunks(tx, 4)
        listed = candidates(found)
        impressions.save(tx, answer("a1", citations=(3, 1)), list(reversed(listed)), shown=3)
    with db.read() as tx:
        logged = impressions.get(tx, "a1")
    assert (logged.query, logged.actor, logged.repo, logged.model_version) == (answer("a1").query, "ada", "shop", 0)
    assert [row.rank for row in logged.rows] == [1, 2, 3, 4]
    assert [row.shown for row in logged.rows] == [True, True, True, False]
    assert [row.cited for row in logged.rows] == [True, False, True, False]
    for row, candidate in zip(logged.rows, listed, strict=True):
        assert (row.chunk_id, row.content_hash) == (candidate.chunk.id, candidate.chunk.content_hash)
        for score in ("dense_score", "lexical_score", "fused_score", "rerank_score", "final_score", "first_stage_rank"):
            assert getattr(row, score) == getattr(candidate, score), score


def test_an_answer_comes_back_as_it_was_given(db: Database) -> None:
    with db.write() as tx:
        found = add_chunks(tx, 3)
        conversations.create(tx, "c1", "ada", "Basket", None, NOW)
        record = answer("a1", NOW + timedelta(minutes=5), (2, 3), conversation_id="c1", repo=None)
        impressions.save(tx, record, candidates(found), 3)
        assert impressions.get_answer(tx, "a1") == record
        assert conversations.get(tx, "c1", "ada").updated_at == record.created_at


def test_an_answer_without_candidates_is_one_too(db: Database) -> None:
    with db.write() as tx:
        impressions.save(tx, answer("a1", citations=()), [], 8)
        assert impressions.get(tx, "a1").rows == ()


def test_impressions_are_read_oldest_first_and_from_a_moment_on(db: Database) -> None:
    moments = {"b": 2, "a": 1, "c": 3, "d": 3}
    with db.write() as tx:
        found = add_chunks(tx, 3)
        for id_, hour in moments.items():
            add_answer(tx, id_, found, at=NOW + timedelta(hours=hour))
        assert [one.answer_id for one in impressions.iterate(tx)] == ["a", "b", "c", "d"]
        since = NOW + timedelta(hours=2)
        assert [one.answer_id for one in impressions.iterate(tx, since)] == ["b", "c", "d"]
        assert set(impressions.for_answers(tx, ["a", "d", "unknown"])) == {"a", "d"}
        assert impressions.for_answers(tx, ["a"])["a"] == impressions.get(tx, "a")


def test_more_impressions_than_a_page_all_come(db: Database) -> None:
    with db.write() as tx:
        found = add_chunks(tx, 1)
        for number in range(impressions.PAGE + 5):
            impressions.save(tx, answer(f"a{number:04}"), candidates(found), 1)
        assert [one.answer_id for one in impressions.iterate(tx)] == [f"a{n:04}" for n in range(impressions.PAGE + 5)]


def test_the_rank_of_a_chunk(db: Database) -> None:
    with db.write() as tx:
        found = add_chunks(tx, 3)
        add_answer(tx, "a1", found)
        assert impressions.rank_of(tx, "a1", found[2].id) == 3
        assert impressions.rank_of(tx, "a1", 999) is None


def test_nonsense_is_refused_and_nothing_of_it_stored(db: Database) -> None:
    with db.write() as tx:
        found = add_chunks(tx, 3)
        listed = candidates(found)
        for record, given in (
            (answer("x", citations=(0,)), listed),
            (answer("x", citations=(3,)), listed),
            (answer("x"), [*listed, listed[0]]),
            (answer("x", query="a\x00"), listed),
            (answer("x", question="\ud800"), listed),
            (answer("x", answer="\ud800"), listed),
            (answer("x", actor="\x00"), listed),
        ):
            with pytest.raises(InvalidInput):
                impressions.save(tx, record, given, 2)
        with pytest.raises(NotFound):
            impressions.save(tx, answer("x", conversation_id="nothing"), listed, 2)
        with pytest.raises(NotFound):
            impressions.get(tx, "x")
        with pytest.raises(NotFound):
            impressions.get_answer(tx, "x")
        add_answer(tx, "a1", found)
        with pytest.raises(Conflict):
            add_answer(tx, "a1", found)
