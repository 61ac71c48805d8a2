"""Data on the admin page: judgments and pairs, filtered, exported; what the gate needs; rankings with their truth."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import chunks, evaluations, general, judgments, queries, registry, snapshots, texts
from store.evaluations import EvalRow
from store.types import Decision, EvalQuery, Judgment, Pair, PairSource, Split
from tests import tiny
from tests.integration.server.support import Running

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def judged(own: Running, count: int) -> list[Judgment]:
    """So many judgments of two people on the shop's chunks, each of a question of its own; every fifth is held out."""
    made = []
    with own.state.db.write() as tx:
        places = [chunks.one(tx, 1 + number % 4) for number in range(count)]
        vector = own.encoder.encode_one("q")
        for number, place in enumerate(places):
            split = Split.HELD_OUT if number % 5 == 0 else Split.TRAIN
            group = queries.add(tx, f"question {number:04d}?", vector, None, split, NOW)
            made.append(
                Judgment(
                    f"j{number:04d}", group.id, f"question {number:04d}?", place.content_hash, place.id, 1.0, 1.0, True,
                    (PairSource.CHUNK_VOTE,), ("voted the right chunk",), (), ("ada" if number % 3 else "bob",),
                )
            )  # fmt: skip
        judgments.replace_all(tx, made)
    return made


def lines(own: Running, path: str) -> list[dict[str, Any]]:
    response = own.client.get(f"/api/admin{path}", headers={"Authorization": "Bearer test-admin-token"})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/jsonl")
    assert response.headers["content-disposition"].endswith('.jsonl"')
    return [json.loads(line) for line in response.text.splitlines()]


def save_data_set(own: Running, made: list[Judgment], at: datetime = NOW) -> str:
    """Each judgment and one hard negative of it; the first question's list is evidence."""
    first = made[0]
    with own.state.db.write() as tx:
        others = [chunks.one(tx, number).content_hash for number in range(1, 5)]
        rows = []
        for one in made:
            pair = Pair(
                one.group_id, one.query, one.content_hash, 1.0, 1.0, PairSource.CHUNK_VOTE, 0.5, reason="ada: voted"
            )
            wrong = next(text for text in others if text != one.content_hash)
            rows += [pair, replace(pair, content_hash=wrong, label=0.0, source=PairSource.HARD_NEGATIVE, reason="r")]
        known = EvalQuery(
            first.group_id, first.query, Split.HELD_OUT, tuple(others), (0.4, 0.3, 0.2, 0.1), (0.0,) * 4,
            {first.content_hash: 1.0, others[3]: 0.0},
        )  # fmt: skip
        made_set = snapshots.make(rows, [], [known], {"at": at.isoformat()}, {"positives": len(made)}, at)
        return snapshots.save(tx, made_set, ())


def test_judgments_are_chosen_by_repository_and_actor(own: Running) -> None:
    judged(own, 9)
    assert own.admin("GET", "/judgments?repo=shop")["total"] == 9
    assert own.admin("GET", "/judgments?repo=other")["total"] == 0
    assert {one["id"] for one in own.admin("GET", "/judgments?actor=bob")["judgments"]} == {"j0000", "j0003", "j0006"}
    assert own.admin("GET", "/judgments/actors") == [
        {"actor": "ada", "judgments": 6},
        {"actor": "bob", "judgments": 3},
    ]
    assert own.admin("GET", "/judgments?person=bob", 422)["error"]["code"] == "invalid_input"


def test_the_export_holds_what_the_filters_select(own: Running) -> None:
    judged(own, 600)
    own.admin("PATCH", "/judgments/j0003", json={"action": "veto", "reason": "spam"})
    everything = lines(own, "/judgments/export")
    assert [one["id"] for one in everything] == [f"j{number:04d}" for number in range(600)]
    assert everything[3]["override"]["reason"] == "spam"
    assert all(one["text"] and one["path"] and one["reasons"] for one in everything)
    assert everything[7] == own.admin("GET", "/judgments?search=question 0007")["judgments"][0]
    chosen = lines(own, "/judgments/export?actor=bob&vetoed=false")
    assert [one["id"] for one in chosen] == [f"j{number:04d}" for number in range(0, 600, 3) if number != 3]
    assert lines(own, "/judgments/export?repo=other") == []


@pytest.mark.parametrize("path", ["/judgments/export", "/pairs", "/pairs/export", "/data-sets", "/judgments/actors"])
def test_data_is_for_administrators(shop: Running, path: str) -> None:
    assert shop.client.get(f"/api/admin{path}").status_code == 401


def test_pairs_come_from_the_latest_data_set(own: Running) -> None:
    nothing = own.admin("GET", "/pairs")
    assert (nothing["data_set"], nothing["pairs"], nothing["total"]) == (None, [], 0)
    made = judged(own, 40)
    old = save_data_set(own, made[:2])
    new = save_data_set(own, made, NOW + timedelta(days=1))
    page = own.admin("GET", "/pairs?limit=3")
    assert (page["data_set"]["hash"], page["size"], page["positives"], page["total"]) == (new, 80, 40, 80)
    first, second, third = page["pairs"]
    assert (first["query"], first["label"], first["source"], first["reason"]) == (
        "question 0000?", 1.0, "chunk_vote", "ada: voted",
    )  # fmt: skip
    assert "" not in (first["path"], first["text"])
    assert (second["query"], second["label"], second["source"]) == ("question 0000?", 0.0, "hard_negative")
    assert third["query"] == "question 0001?"
    assert own.admin("GET", f"/pairs?data_set={old}")["size"] == 4
    assert [one["hash"] for one in own.admin("GET", "/data-sets")] == [new, old]
    assert own.admin("GET", "/pairs?source=hard_negative&search=QUESTION 0001")["total"] == 1
    assert own.admin("GET", "/pairs?relevant=true")["total"] == 40
    assert own.admin("GET", "/pairs?repo=shop")["total"] == 80
    assert own.admin("GET", "/pairs?repo=other")["total"] == 0
    assert own.admin("GET", f"/pairs?data_set={'0' * 64}", 404)["error"]["code"] == "not_found"
    exported = lines(own, "/pairs/export?relevant=false")
    assert len(exported) == 40
    assert exported[0] == second


def test_code_questions_belong_to_the_repository_whose_docstring_asks_them(own: Running) -> None:
    bare, question = "def add(a, b):\n    return a + b", "Add two numbers."
    row = Pair(-1, question, texts.content_hash(bare), 1.0, 0.3, PairSource.CODE_QUESTION, 0.5, reason="its docstring")
    with own.state.db.write() as tx:
        texts.put(tx, {row.content_hash: bare})
        general.replace_for_repo(tx, "shop", [(question, "add.py", chunks.one(tx, 1).content_hash)])
        snapshots.save(tx, snapshots.make([row], [], [], {}, {}, NOW), [])
    assert [one["query"] for one in own.admin("GET", "/pairs?repo=shop")["pairs"]] == [question]
    assert own.admin("GET", "/pairs?repo=other")["total"] == 0


def test_a_comparison_marks_what_was_right_and_where_it_stood(own: Running) -> None:
    first = judged(own, 1)[0]
    data_set = save_data_set(own, [first])
    with own.state.db.write() as tx:
        hashes = [chunks.one(tx, number).content_hash for number in range(1, 5)]
    staged = registry.staging(own.settings.models_dir, 77)
    staged.rmdir()
    tiny.cross_encoder(staged, seed=1)
    draft = registry.VersionDraft(
        name="learned",
        base="tiny",
        blend=own.version("good").blend,
        max_length=256,
        metrics={"against": {"version": 0}},
        decision=Decision.PROMOTE,
        snapshot_hash=data_set,
    )
    version = registry.publish(own.state.db, own.settings.models_dir, staged, draft, NOW)
    orders = {"no_rerank": hashes[::-1], "challenger": hashes}
    scores = {"no_rerank": 0.4, "challenger": 1.0}
    rows = [
        EvalRow(arm, evidence, group, "q", {"ndcg@10": scores[arm]}, tuple(order))
        for arm, order in orders.items()
        for evidence, group in (("held_out", first.group_id), ("out_of_fold", 9999))
    ]
    with own.state.db.write() as tx:
        evaluations.save(tx, version.id, rows)
    found = {one["evidence"]: one for one in own.admin("GET", f"/models/compare?a=0&b={version.id}")["queries"]}
    known = found["held_out"]
    assert [(one["content_hash"], one["rank_a"], one["rank_b"]) for one in known["right"]] == [(hashes[0], 4, 1)]
    assert [one["relevance"] for one in known["ranking_b"]] == [1.0, None, None, 0.0]
    assert [one["relevance"] for one in known["ranking_a"]] == [0.0, None, None, 1.0]
    assert found["out_of_fold"]["right"] == [], "nobody judged that group"
    curve = own.admin("GET", "/overview")["curve"]
    assert [(one["version"], one["ndcg"]) for one in curve] == [(0, 0.4)], "no reranking, as that version measured it"


def test_the_overview_says_how_many_more_questions_the_gate_needs(own: Running) -> None:
    judged(own, 20)
    own.admin("PATCH", "/judgments/j0001", json={"action": "veto"})
    need = own.admin("GET", "/overview")["gate"]
    assert (need["usable"], need["held_out"], need["more"]) == (19, 4, 31)
    assert any("31 more questions need a right chunk" in one for one in own.admin("GET", "/overview")["attention"])
