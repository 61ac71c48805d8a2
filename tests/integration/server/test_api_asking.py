"""Search, answers and chat over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import impressions
from store.encoder import Encoder
from tests.integration.server.sockets import listening
from tests.integration.server.support import FakeModel, Running, events, fake_model, running


def chat(server: Running, message: str, **more: object) -> list[tuple[str, dict[str, object]]]:
    response = server.client.post("/api/chat", json={"message": message, **more})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return events(response.text)


def test_search_ranks_and_logs_every_candidate(shop: Running) -> None:
    found = shop.search(repo="shop", top_k=2)
    assert [one["rank"] for one in found["results"]] == [1, 2]
    assert found["model_version"] == 0
    with shop.state.db.read() as tx:
        logged = impressions.get(tx, found["answer_id"])
    assert len(logged.rows) == 4  # every chunk of the shop is a candidate, two were shown
    assert [row.shown for row in logged.rows] == [True, True, False, False]
    first, top = logged.rows[0], found["results"][0]
    assert (first.chunk_id, first.final_score) == (top["chunk_id"], top["final_score"])


def test_fused_score_is_dense_plus_weighted_lexical(shop: Running) -> None:
    for one in shop.search()["results"]:
        weight = shop.settings.first_stage_lexical
        assert one["fused_score"] == pytest.approx(one["dense_score"] + weight * one["lexical_score"])
        assert one["final_score"] == one["fused_score"]


def test_a_name_in_the_query_puts_its_chunk_first_in_lexical_score(shop: Running) -> None:
    found = shop.search("save_config")["results"]
    assert max(found, key=lambda one: one["lexical_score"])["symbol"] == "save_config"


def test_an_answer_cites_what_it_shows(shop: Running) -> None:
    given = shop.answer()
    numbers = [source["n"] for source in given["sources"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert given["citations"]
    assert set(given["citations"]) <= set(numbers)
    for source in given["sources"]:
        assert source["cited"] == (source["n"] in given["citations"])
        assert (f"[{source['n']}]" in given["answer"]) == source["cited"]


def test_a_stored_answer_reads_as_it_was_given(shop: Running) -> None:
    given = shop.answer()
    stored = shop.ok(shop.client.get(f"/api/answers/{given['answer_id']}"))
    assert stored["answer"] == given["answer"]
    assert stored["sources"] == given["sources"]
    assert stored["citations"] == given["citations"]


def test_chat_streams_sources_tokens_citations_done(shop: Running) -> None:
    told = chat(shop, "Where is the configuration read?")
    assert [name for name, _ in told if name != "token"] == ["sources", "citations", "done"]
    assert told[0][0] == "sources"
    done = told[-1][1]
    assert "".join(str(data["text"]) for name, data in told if name == "token") == done["answer"]
    assert done["answer_id"] == told[0][1]["answer_id"]
    stored = shop.ok(shop.client.get(f"/api/answers/{done['answer_id']}"))
    assert stored["answer"] == done["answer"]


def test_chat_without_streaming_gives_the_same_fields(shop: Running) -> None:
    response = shop.client.post("/api/chat", json={"message": "How is a query cached?", "stream": False})
    given = shop.ok(response)
    assert given["conversation_id"]
    assert given["answer"]


def test_a_follow_up_is_searched_with_the_question_it_leans_on(shop: Running) -> None:
    first = chat(shop, "Where is the configuration read from json?")[-1][1]
    told = chat(shop, "and where is it written?", conversation_id=first["conversation_id"])
    assert told[0][1]["query"] == "Where is the configuration read from json?\nand where is it written?"
    alone = chat(shop, "How does login check the password?", conversation_id=first["conversation_id"])
    assert alone[0][1]["query"] == "How does login check the password?"
    kept = shop.ok(shop.client.get(f"/api/conversations/{first['conversation_id']}"))
    assert [turn["question"] for turn in kept["turns"]] == [
        "Where is the configuration read from json?",
        "and where is it written?",
        "How does login check the password?",
    ]


def test_test_requests_leave_no_trace(shop: Running) -> None:
    before = shop.admin("GET", "/overview")["counts"]
    headers = {"X-Rankloop-Test": "1"}
    searched = shop.ok(shop.client.post("/api/search", json={"query": "login"}, headers=headers))
    answered = shop.ok(shop.client.post("/api/answer", json={"question": "login"}, headers=headers))
    told = events(shop.client.post("/api/chat", json={"message": "login"}, headers=headers).text)
    assert searched["answer_id"] is None
    assert answered["answer_id"] is None
    assert told[-1][0] == "done"
    assert told[-1][1]["answer_id"] is None
    assert told[-1][1]["conversation_id"] is None
    rated = shop.answer()["answer_id"]
    shop.ok(shop.client.put(f"/api/answers/{rated}/rating", json={"thumb": "up"}, headers=headers))
    after = shop.admin("GET", "/overview")["counts"]
    assert after["answers"] == before["answers"] + 1
    assert (after["conversations"], after["signals"]) == (before["conversations"], before["signals"])


def test_an_empty_index_says_so(tmp_path: Path, tiny_encoder: Encoder) -> None:
    with running(tmp_path / "data", tiny_encoder) as server:
        given = server.answer()
        assert given["citations"] == []
        assert "nothing in the index" in given["answer"]
        assert server.search()["results"] == []


@pytest.fixture
def spoken(data: Path, tiny_encoder: Encoder) -> Iterator[tuple[Running, FakeModel]]:
    with fake_model() as fake, running(data, tiny_encoder, llm_base_url=fake.url) as server:
        yield server, fake


def test_a_language_model_writes_from_the_sources_and_its_wrong_citations_are_dropped(
    spoken: tuple[Running, FakeModel],
) -> None:
    server, fake = spoken
    given = server.answer()
    assert given["answer"] == "The configuration is read here [1], not there ."
    assert given["citations"] == [1]
    assert given["generator"] == "default"
    prompt = fake.asked[0]["messages"][-1]["content"]
    assert f"[1] shop: {given['sources'][0]['path']}" in prompt
    assert given["sources"][0]["text"] in prompt


def test_a_language_model_sees_the_conversation(spoken: tuple[Running, FakeModel]) -> None:
    server, fake = spoken
    first = chat(server, "Where is the configuration read?")[-1][1]
    chat(server, "And why is it json?", conversation_id=first["conversation_id"])
    said = [(one["role"], one["content"]) for one in fake.asked[1]["messages"][1:3]]
    assert said == [("user", "Where is the configuration read?"), ("assistant", first["answer"])]


def test_a_failing_language_model_is_replaced_by_what_was_found(spoken: tuple[Running, FakeModel]) -> None:
    server, fake = spoken
    fake.status = 401
    given = server.answer()
    assert given["generator"] == "extractive"
    assert "did not answer" in given["answer"]
    assert given["citations"]


def test_a_language_model_that_breaks_off_is_continued_by_what_was_found(spoken: tuple[Running, FakeModel]) -> None:
    server, fake = spoken
    fake.break_after = 2
    told = chat(server, "Where is the configuration read?")
    done = told[-1][1]
    assert told[-1][0] == "done"
    assert str(done["answer"]).startswith("The configuration is read here [1]")
    assert "broke off" in str(done["answer"])
    assert "".join(str(data["text"]) for name, data in told if name == "token") == done["answer"]


def test_what_a_reader_who_leaves_has_seen_is_stored(spoken: tuple[Running, FakeModel]) -> None:
    """Through a real socket: the test client can't hang up."""
    server, fake = spoken
    fake.hold_after = 1
    with listening(server) as connect:
        reader = connect("POST", "/api/chat", {"message": "Where is the configuration read?"})
        seen = reader.read_until(b"The configuration")
        answer_id = events(seen.decode())[0][1]["answer_id"]
        reader.close()
        stored = server.eventually(f"/api/answers/{answer_id}")
    assert stored["answer"] == "The configuration "
    assert stored["citations"] == []
