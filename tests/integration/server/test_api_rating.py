"""Ratings over HTTP: what is in force, whose it is, and what became of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest

from store import judgments, queries, signals, snapshots
from store.golden import ACTOR
from store.types import Judgment, PairSource, Split
from tests.integration.server.support import Running

USER = {"X-Rankloop-User": "ada"}


def put(server: Running, answer_id: str, what: str, body: dict[str, Any], **more: Any) -> Any:
    return server.ok(server.client.put(f"/api/answers/{answer_id}/{what}", json=body, **more))


def test_a_rating_is_in_force_and_can_be_taken_back(shop: Running) -> None:
    answer = shop.answer()["answer_id"]
    receipt = put(shop, answer, "rating", {"thumb": "up", "stars": 5, "note": "good"})
    assert receipt["message"].startswith("Recorded.")
    assert receipt["rating"] | {"chunks": {}} == {
        "thumb": "up", "stars": 5, "note": "good", "reasons": [], "chunks": {}, "correction": None,
    }  # fmt: skip
    kept = put(shop, answer, "rating", {"stars": None})
    assert (kept["rating"]["thumb"], kept["rating"]["stars"], kept["rating"]["note"]) == ("up", None, "good")
    gone = put(shop, answer, "rating", {"thumb": None, "note": None})
    assert gone["message"].startswith("Taken back")


def test_a_flip_clears_stars_and_reasons_that_the_same_body_does_not_set(shop: Running) -> None:
    answer = shop.answer()["answer_id"]
    put(shop, answer, "rating", {"thumb": "down", "stars": 1, "reasons": ["wrong file"]})
    flipped = put(shop, answer, "rating", {"thumb": "up", "reasons": ["other"]})["rating"]
    assert (flipped["thumb"], flipped["stars"], flipped["reasons"]) == ("up", None, ["other"])


def test_a_contradiction_is_refused_and_changes_nothing(shop: Running) -> None:
    answer = shop.answer()["answer_id"]
    put(shop, answer, "rating", {"thumb": "up"})
    response = shop.client.put(f"/api/answers/{answer}/rating", json={"thumb": "up", "stars": 1})
    assert response.status_code == 422
    assert "contradict" in response.json()["error"]["message"]
    assert put(shop, answer, "rating", {"note": "x"})["rating"]["stars"] is None


def test_fifty_identical_concurrent_ratings_are_one(shop: Running) -> None:
    answer = shop.answer()["answer_id"]
    together = Barrier(50, timeout=60)

    def rate(_: int) -> Any:
        together.wait()
        return put(shop, answer, "rating", {"thumb": "up"}, headers=USER)

    with ThreadPoolExecutor(50) as threads:
        receipts = list(threads.map(rate, range(50)))
    assert len(receipts) == 50
    assert {receipt["rating"]["thumb"] for receipt in receipts} == {"up"}
    with shop.state.db.read() as tx:
        assert [(s.actor, s.value) for s in signals.in_force(tx, answer)] == [("ada", "up")]
        rows = tx.exec_driver_sql("select count(*) from signals where answer_id = ?", (answer,)).scalar_one()
    assert rows == 1


def test_chunk_votes_and_corrections_show_rank_then_and_now(shop: Running) -> None:
    found = shop.search("read the configuration")
    answer, shown = found["answer_id"], found["results"]
    last = shown[-1]
    put(shop, answer, f"chunks/{last['chunk_id']}/rating", {"relevant": True})
    put(shop, answer, f"chunks/{shown[0]['chunk_id']}/rating", {"relevant": False})
    put(shop, answer, "correction", {"chunk_id": last["chunk_id"]})
    receipt = shop.ok(shop.client.get(f"/api/answers/{answer}/receipt"))
    assert receipt["rating"]["chunks"] == {str(last["chunk_id"]): True, str(shown[0]["chunk_id"]): False}
    assert receipt["rating"]["correction"] == last["chunk_id"]
    ranks = {one["chunk_id"]: (one["then"], one["now"]) for one in receipt["ranks"]}
    assert ranks == {one["chunk_id"]: (one["rank"], one["rank"]) for one in (last, shown[0])}
    assert receipt["model_now"] == 0


def test_a_later_correction_replaces_the_one_before(shop: Running) -> None:
    found = shop.search("login")
    ids = [one["chunk_id"] for one in found["results"][:2]]
    for chunk_id in ids:
        receipt = put(shop, found["answer_id"], "correction", {"chunk_id": chunk_id})
    assert receipt["rating"]["correction"] == ids[1]
    assert put(shop, found["answer_id"], "correction", {"chunk_id": None})["rating"]["correction"] is None


def test_a_correction_may_name_a_chunk_that_was_no_candidate(shop: Running) -> None:
    found = shop.search("login", depth=1, top_k=1)
    missed = next(
        one["chunk_id"] for one in shop.search("login")["results"] if one["chunk_id"] != found["results"][0]["chunk_id"]
    )
    put(shop, found["answer_id"], "correction", {"chunk_id": missed})
    receipt = shop.ok(shop.client.get(f"/api/answers/{found['answer_id']}/receipt"))
    rank = receipt["ranks"][0]
    assert rank["repo"] == "shop"
    assert rank["then"] is None
    assert rank["now"] is not None


def test_events_are_recorded_once(shop: Running) -> None:
    found = shop.search("login")
    path = f"/api/answers/{found['answer_id']}/events"
    body = {"type": "copy", "chunk_id": found["results"][0]["chunk_id"]}
    assert [shop.ok(shop.client.post(path, json=body))["recorded"] for _ in range(2)] == [True, False]


def test_the_actor_is_the_header_else_the_cookie_else_the_asker(shop: Running) -> None:
    shop.client.cookies.clear()
    answer = shop.answer()["answer_id"]
    asker = shop.client.cookies["rankloop_actor"]
    put(shop, answer, "rating", {"thumb": "up"}, headers=USER)
    put(shop, answer, "rating", {"thumb": "down"})
    shop.client.cookies.clear()
    assert put(shop, answer, "rating", {"note": "no cookie"})["rating"]["thumb"] == "down"
    assert "rankloop_actor" not in shop.client.cookies
    with shop.state.db.read() as tx:
        said = {(s.actor, s.value) for s in signals.in_force(tx, answer) if s.kind == "thumb"}
        clients: dict[str, str] = dict(
            tx.exec_driver_sql("select actor, client from signals where answer_id = ?", (answer,)).all()
        )
    assert said == {("ada", "up"), (asker, "down")}
    assert clients == {"ada": "", asker: "127.0.0.1"}  # who is not signed in shares the address's cap


def test_the_receipt_names_what_learned_from_a_rating(own: Running) -> None:
    found = own.search("read the configuration")
    answer, top = found["answer_id"], found["results"][0]
    put(own, answer, f"chunks/{top['chunk_id']}/rating", {"relevant": True}, headers=USER)
    now = datetime.now(UTC)
    with own.state.db.write() as tx:
        held = signals.in_force(tx, answer)
        vector = own.encoder.encode_one("read the configuration")
        group = queries.add(tx, "read the configuration", vector, None, Split.TRAIN, now)
        judged = Judgment(
            id="j1", group_id=group.id, query="where does bo read secrets", content_hash=_hash(own, top["chunk_id"]),
            chunk_id=top["chunk_id"], relevance=1.0, weight=1.0, strong=True, sources=(PairSource.CHUNK_VOTE,),
            reasons=("ada: voted for it", "adam: voted against it", "people disagree"), signal_ids=(held[0].id,),
            actors=("ada", "adam"),
        )  # fmt: skip
        judgments.replace_all(tx, [judged])
        snapshot = snapshots.make([], [], [], {}, {}, now)
        taken = snapshots.save(tx, snapshot, [held[0].id])
        version = own.version("good")
        tx.exec_driver_sql("update versions set snapshot_hash = ? where id = ?", (taken, version.id))
    receipt = own.ok(own.client.get(f"/api/answers/{answer}/receipt", headers=USER))
    assert [one["id"] for one in receipt["judgments"]] == ["j1"]
    assert receipt["judgments"][0]["reasons"] == ["you: voted for it", "people disagree", "and 1 other person"]
    assert receipt["judgments"][0]["query"] == "read the configuration", "the words of others are theirs"
    assert "adam" not in str(receipt)
    with own.state.db.write() as tx:
        said = ("ada: voted for it", "golden question 4 expects conf/hidden.py")
        judgments.replace_all(tx, [replace(judged, reasons=said, actors=("ada", ACTOR))])
    (judgment,) = own.ok(own.client.get(f"/api/answers/{answer}/receipt", headers=USER))["judgments"]
    assert judgment["reasons"] == ["you: voted for it", "and a golden question of your team"]
    assert receipt["snapshots"] == [taken]
    assert [(one["id"], one["champion"]) for one in receipt["versions"]] == [(version.id, False)]
    assert f"version {version.id}" in receipt["message"]


def test_the_rank_now_is_the_champions(own: Running) -> None:
    found = own.search("read the configuration")
    version = own.version("good")
    own.admin("POST", f"/models/{version.id}/promote", json={"reason": "test"})
    again = {one["chunk_id"]: one["rank"] for one in own.search("read the configuration")["results"]}
    for one in found["results"]:
        put(own, found["answer_id"], f"chunks/{one['chunk_id']}/rating", {"relevant": True})
    receipt = own.ok(own.client.get(f"/api/answers/{found['answer_id']}/receipt"))
    assert {one["chunk_id"]: one["then"] for one in receipt["ranks"]} == {
        one["chunk_id"]: one["rank"] for one in found["results"]
    }
    assert {one["chunk_id"]: one["now"] for one in receipt["ranks"]} == again
    assert (receipt["model_then"], receipt["model_now"]) == (0, version.id)


def _hash(server: Running, chunk_id: int) -> str:
    from store import chunks

    with server.state.db.read() as tx:
        return chunks.one(tx, chunk_id).content_hash


@pytest.mark.parametrize("what", ["rating", "correction", "receipt", "chunks/1/rating"])
def test_an_unknown_answer_is_not_found(shop: Running, what: str) -> None:
    body = {"rating": {"thumb": "up"}, "correction": {"chunk_id": 1}, "chunks/1/rating": {"relevant": True}}.get(what)
    method = "GET" if body is None else "PUT"
    response = shop.client.request(method, f"/api/answers/nope/{what}", json=body)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
