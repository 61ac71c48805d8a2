"""The admin calls beside swapping: repositories, jobs, golden questions, judgments, schedule, comparison."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from store import chunks, evaluations, judgments, meta, queries, snapshots
from store.evaluations import EvalRow
from store.types import Judgment, PairSource, Split
from tests.integration.server.support import ADMIN, Running, events


def test_a_repository_is_listed_reindexed_and_removed(own: Running, tmp_path: Path) -> None:
    job = own.index(tmp_path / "second", "second")
    assert job["result"]["chunks"] == 4
    assert {one["name"]: one["chunks"] for one in own.admin("GET", "/repos")} == {"second": 4, "shop": 4}
    (tmp_path / "second" / "new.py").write_text("def added():\n    return 1\n")
    again = own.wait_for_job(own.admin("POST", "/repos/second/index", 202)["job_id"])
    assert again["result"]["added"] == 1
    old = own.search(repo="second")
    own.admin("DELETE", "/repos/second", 204)
    assert own.client.post("/api/search", json={"query": "x", "repo": "second"}).status_code == 404
    assert {one["repo"] for one in own.search(top_k=50)["results"]} == {"shop"}
    kept = own.ok(own.client.get(f"/api/answers/{old['answer_id']}/receipt"))
    assert kept["answer_id"] == old["answer_id"]


def test_a_jobs_log_streams_to_its_end_and_resumes(shop: Running) -> None:
    response = shop.client.get("/api/admin/jobs/1/events", headers=ADMIN)
    told = events(response.text)
    assert told[-1] == ("end", {"state": "succeeded"})
    assert [data["state"] for name, data in told if name == "job"] == ["succeeded"]
    lines = [data["id"] for name, data in told if name == "log"]
    assert lines == sorted(lines)
    later = events(shop.client.get("/api/admin/jobs/1/events", headers=ADMIN | {"Last-Event-ID": str(lines[1])}).text)
    assert [data["id"] for name, data in later if name == "log"] == lines[2:]
    assert [one["id"] for one in shop.admin("GET", "/jobs/1/events?stream=false")["events"]] == lines


def test_only_one_nightly_job_at_a_time_and_a_waiting_one_is_cancelled_at_once(own: Running) -> None:
    job = own.admin("POST", "/jobs", 202, json={"kind": "nightly", "recipe": "seed", "seed": 3})["job_id"]
    assert own.admin("GET", f"/jobs/{job}")["params"] == {"recipe": "seed", "seed": 3}
    refused = own.admin("POST", "/jobs", 409, json={"kind": "nightly"})
    assert f"Job {job}" in refused["error"]["message"]
    assert own.admin("POST", f"/jobs/{job}/cancel")["state"] == "cancelled"
    own.admin("POST", "/jobs", 202, json={"kind": "nightly"})
    assert [one["kind"] for one in own.admin("GET", "/jobs?kind=nightly")["jobs"]] == ["nightly", "nightly"]


def test_a_rehearsal_names_a_stored_data_set(own: Running) -> None:
    with own.state.db.write() as tx:
        digest = snapshots.save(tx, snapshots.make([], [], [], {"recipe": {}}, {}, datetime.now(UTC)), [])
    assert (
        own.admin("POST", "/jobs", 404, json={"kind": "nightly", "snapshot": "0" * 8})["error"]["code"] == "not_found"
    )
    for wrong in (digest[:7], digest.upper(), "x" * 8, 12345678):
        own.admin("POST", "/jobs", 422, json={"kind": "nightly", "snapshot": wrong})
    own.admin("POST", "/jobs", 422, json={"kind": "nightly", "snapshot": digest, "pairs_batch": "all"})
    own.admin("POST", "/jobs", 422, json={"kind": "evaluate", "snapshot": digest})
    assert own.admin("GET", "/jobs?kind=nightly")["jobs"] == []
    job = own.admin("POST", "/jobs", 202, json={"kind": "nightly", "snapshot": digest[:8], "seed": 3})["job_id"]
    assert own.admin("GET", f"/jobs/{job}")["params"] == {"snapshot": digest, "seed": 3}


def test_golden_questions(shop: Running) -> None:
    added = shop.admin(
        "POST", "/golden", 201, json={"query": "login?", "repo": "shop", "expected": ["auth/login.py", 1]}
    )
    assert added["warnings"] == []
    lost = shop.admin("POST", "/golden", 201, json={"query": "moon?", "expected": ["moon.py"]})
    assert "no repository holds moon.py" in lost["warnings"][0]
    assert shop.admin("GET", "/golden") == [added, lost]
    for one in (added, lost):
        shop.admin("DELETE", f"/golden/{one['id']}", 204)
    assert shop.admin("GET", "/golden") == []


def test_the_schedule_is_stored_in_one_unambiguous_form(own: Running) -> None:
    assert own.admin("GET", "/schedule")["cron"] == own.settings.nightly_cron
    changed = own.admin("PUT", "/schedule", json={"cron": "15 3 * * 1-5"})
    assert changed["cron"] == "15 3 * * mon,tue,wed,thu,fri"
    assert len(changed["next"]) == 3
    manual = own.admin("PUT", "/schedule", json={"auto_promote": False})
    assert (manual["cron"], manual["auto_promote"], manual["paused"]) == (changed["cron"], False, False)
    with own.state.db.read() as tx:
        assert meta.get(tx, "schedule") == {"cron": changed["cron"], "auto_promote": False}
    assert own.admin("GET", "/overview")["champion"]["auto_promote"] is False


def test_a_rollback_pauses_promotion_until_it_is_resumed(own: Running) -> None:
    own.admin("POST", f"/models/{own.version('good').id}/promote", json={"reason": "x"})
    own.admin("POST", "/rollback", json={"reason": "x"})
    assert own.admin("GET", "/schedule")["paused"] is True
    assert any("paused" in line for line in own.admin("GET", "/overview")["attention"])
    assert own.admin("PUT", "/schedule", json={"auto_promote": True})["paused"] is False


def test_a_judgment_says_why_and_can_be_vetoed_edited_restored(own: Running) -> None:
    with own.state.db.write() as tx:
        chunk = chunks.one(tx, 1)
        vector = own.encoder.encode_one("q")
        group = queries.add(tx, "q", vector, None, Split.TRAIN, datetime.now(UTC))
        judgments.replace_all(
            tx,
            [
                Judgment(
                    "j1", group.id, "q", chunk.content_hash, 1, 1.0, 1.0, True, (PairSource.CHUNK_VOTE,),
                    ("ada voted the right chunk",), (), ("ada",),
                )
            ],
        )  # fmt: skip
    listed = own.admin("GET", "/judgments?source=chunk_vote")
    assert listed["total"] == 1
    assert (listed["judgments"][0]["path"], listed["judgments"][0]["text"]) == (chunk.path, chunk.text)
    vetoed = own.admin("PATCH", "/judgments/j1", json={"action": "veto", "reason": "spam"})
    assert (vetoed["vetoed"], vetoed["override"]["reason"]) == (True, "spam")
    assert own.admin("GET", "/judgments?vetoed=false")["total"] == 0
    edited = own.admin("PATCH", "/judgments/j1", json={"action": "edit", "relevance": 0.5})
    assert (edited["vetoed"], edited["relevance"]) == (False, 0.5)
    assert own.admin("PATCH", "/judgments/j1", 422, json={"action": "edit"})["error"]["code"] == "invalid_input"
    restored = own.admin("PATCH", "/judgments/j1", json={"action": "restore"})
    assert (restored["relevance"], restored["override"]) == (1.0, None)


def test_versions_are_compared_on_the_same_questions(own: Running) -> None:
    good = own.version("good")
    values = {"no_rerank": [0.2, 0.5, 0.5, 1.0], "challenger": [0.6, 0.5, 0.4, 1.0]}
    with own.state.db.write() as tx:
        rows = [
            EvalRow(arm, "held_out", group, f"q{group}", {"ndcg@10": value}, (chunks.one(tx, 1).content_hash,))
            for arm, scores in values.items()
            for group, value in enumerate(scores)
        ]
        evaluations.save(tx, good.id, rows)
    found = own.admin("GET", f"/models/compare?a=0&b={good.id}")
    assert (found["wins"], found["losses"], found["ties"]) == (1, 1, 2)
    row = found["metrics"][0]
    assert row["difference"] == pytest.approx(sum(values["challenger"]) / 4 - sum(values["no_rerank"]) / 4)
    assert row["low"] <= row["difference"] <= row["high"]
    assert [one["query"] for one in found["queries"]] == ["q0", "q2"]
    assert found["queries"][0]["ranking_b"][0]["path"] == "cache.py"
    turned = own.admin("GET", f"/models/compare?a={good.id}&b=0")["metrics"][0]
    assert turned["difference"] == pytest.approx(-row["difference"])
    nothing = own.admin("GET", f"/models/compare?a={good.id}&b={own.version('bad').id}")
    assert (nothing["metrics"], nothing["note"] is not None) == ([], True)


def test_a_version_shows_its_card_and_manifest(own: Running) -> None:
    good = own.version("good")
    shown = own.admin("GET", f"/models/{good.id}")
    assert shown["card"] == "# good\n"
    assert "model.safetensors" in str(shown["manifest"])
    page = own.admin("GET", "/models?limit=2")
    assert (len(page["versions"]), page["total"]) == (2, 4)


def test_the_overview_counts_what_happened(own: Running) -> None:
    answer = own.answer()["answer_id"]
    own.ok(own.client.put(f"/api/answers/{answer}/rating", json={"thumb": "up"}))
    seen = own.admin("GET", "/overview")
    assert (seen["counts"]["answers"], seen["counts"]["signals"]["thumb"], seen["counts"]["chunks"]) == (1, 1, 4)
    assert seen["satisfaction"] == [{"version": 0, "up": 1, "down": 0}]
    assert [(one["answers"], one["ratings"]) for one in seen["days"]] == [(1, 1)]
    assert [point["version"] for point in seen["curve"]] == [0]
    assert seen["serving"]["id"] == 0
