"""A follow-up is searched, shown, stored and judged under one and the same query."""

from __future__ import annotations

from store import impressions
from store.encoder import Encoder
from tests.integration.server.support import Running, events
from trainer.dataset import DatasetPolicy
from trainer.judging import judge_all

FIRST = "Where is the configuration read from json?"
THEN = "and where is it written?"


def chat(server: Running, message: str, conversation_id: object = None) -> list[tuple[str, dict[str, object]]]:
    response = server.client.post("/api/chat", json={"message": message, "conversation_id": conversation_id})
    assert response.status_code == 200, response.text
    return events(response.text)


def test_ratings_of_a_follow_up_are_judged_under_what_was_searched(shop: Running, tiny_encoder: Encoder) -> None:
    conversation = chat(shop, FIRST)[-1][1]["conversation_id"]
    told = chat(shop, THEN, conversation)
    searched = told[0][1]["query"]
    assert searched == f"{FIRST}\n{THEN}"

    answer_id = told[-1][1]["answer_id"]
    sources = told[0][1]["sources"]
    assert isinstance(sources, list)
    chunk = sources[0]["chunk_id"]
    shop.ok(shop.client.put(f"/api/answers/{answer_id}/chunks/{chunk}/rating", json={"relevant": True}))
    shop.ok(shop.client.put(f"/api/answers/{answer_id}/rating", json={"thumb": "up"}))
    with shop.state.db.read() as tx:
        assert impressions.get(tx, str(answer_id)).query == searched

    judged = judge_all(shop.state.db, tiny_encoder, DatasetPolicy().judge, shop.state.clock(), "ratings")
    assert searched in judged.grouped.places
    assert THEN not in judged.grouped.places
    assert judged.judgments
    assert {one.query for one in judged.judgments} == {searched}


def test_who_asked_reads_what_was_searched(shop: Running) -> None:
    conversation = chat(shop, FIRST)[-1][1]["conversation_id"]
    body = {"message": THEN, "conversation_id": conversation, "stream": False}
    whole = shop.ok(shop.client.post("/api/chat", json=body))
    assert whole["query"] == f"{FIRST}\n{THEN}"
    turns = shop.ok(shop.client.get(f"/api/conversations/{conversation}"))["turns"]
    assert [turn["query"] for turn in turns] == [FIRST, f"{FIRST}\n{THEN}"]
    assert "query" not in shop.ok(shop.client.get(f"/api/answers/{whole['answer_id']}"))
