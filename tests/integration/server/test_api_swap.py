"""Promote, roll back and swap: which version serves when, and what happens when one does not load."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from server.retrieval import reload
from store import deployments
from store.encoder import Encoder
from store.types import Version
from tests.integration.server.support import FakeModel, Running, events, fake_model, running, until


def promote(server: Running, version: Version, status: int = 200, **more: Any) -> Any:
    return server.admin("POST", f"/models/{version.id}/promote", status, json={"reason": "test", **more})


def serving(server: Running) -> int:
    return int(server.search()["model_version"])


def damage(server: Running, version: Version) -> None:
    """Truncate the weights of a version."""
    assert version.path is not None
    weights = server.settings.models_dir / version.path / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:100])


def test_promote_answers_once_the_version_serves_and_rollback_too(own: Running) -> None:
    version = own.version("good")
    before = own.search()
    entry = promote(own, version)
    assert (entry["from_version"], entry["to_version"], entry["forced"]) == (0, version.id, False)
    after = own.search()
    assert after["model_version"] == version.id
    assert all(one["rerank_score"] is None for one in before["results"])
    assert [one["final_score"] for one in after["results"]] == [one["rerank_score"] for one in after["results"]]
    back = own.admin("POST", "/rollback", json={"reason": "worse on our questions"})
    assert (back["action"], back["to_version"]) == ("rollback", 0)
    assert serving(own) == 0
    assert own.admin("GET", "/overview")["champion"]["auto_promote"] is False
    ledger = own.admin("GET", "/deployments")
    assert [one["action"] for one in ledger] == ["rollback", "promote", "initial"]
    assert ledger[0]["reason"] == "worse on our questions"


def test_the_overview_names_the_rollback_that_happens(own: Running) -> None:
    good, bad = own.version("good"), own.version("bad")
    promote(own, good)
    assert "version 0" in promote(own, bad, 409)["error"]["message"], "it was measured against another champion"
    assert promote(own, bad, force=True)["forced"] is True
    own.admin("POST", "/rollback", json={"reason": "one step"})
    seen = own.admin("GET", "/overview")
    assert (seen["rollback_to"], seen["rollback_choices"]) == (0, [bad.id, 0])
    assert own.admin("POST", "/rollback", json={"reason": "the next"})["to_version"] == 0
    assert own.admin("GET", "/overview")["rollback_to"] is None


def test_a_rollback_is_no_way_round_the_gate(own: Running) -> None:
    version = own.version("unproven")
    refused = own.admin("POST", "/rollback", 409, json={"reason": "x", "to": version.id})
    assert "promote it instead" in refused["error"]["message"]
    assert serving(own) == 0


def test_searching_without_reranking_says_version_0(own: Running) -> None:
    promote(own, own.version("good"))
    assert own.search(rerank=False)["model_version"] == 0


def test_against_the_gate_only_with_force(own: Running) -> None:
    version = own.version("unproven")
    refused = promote(own, version, 409)
    assert "not_proven" in refused["error"]["message"]
    assert serving(own) == 0
    assert promote(own, version, force=True)["forced"] is True
    assert promote(own, version, 409, force=True)["error"]["code"] == "conflict"  # it serves already


def test_a_version_that_does_not_load_is_taken_back_in_the_ledger(own: Running) -> None:
    good, bad = own.version("good"), own.version("bad")
    promote(own, good)
    damage(own, bad)
    refused = promote(own, bad, 409, force=True)
    assert refused["error"]["code"] == "model_refused"
    assert f"version {good.id} keeps serving" in refused["error"]["message"]
    assert serving(own) == good.id
    ledger = own.admin("GET", "/deployments")
    assert [(one["action"], one["to_version"]) for one in ledger[:2]] == [("compensate", good.id), ("promote", bad.id)]
    assert own.client.get("/readyz").json()["note"] is None


def test_a_champion_set_by_another_process_is_served_within_seconds(own: Running) -> None:
    version = own.version("good")
    with own.state.db.write() as tx:
        deployments.promote(tx, version.id, "trainer", "proven", datetime.now(UTC))
    until(lambda: serving(own) == version.id, seconds=50)  # promised: 10 s
    assert own.client.get("/readyz").json()["model_version"] == version.id


def test_a_broken_champion_of_another_process_is_told_and_not_served(own: Running) -> None:
    bad = own.version("good")
    damage(own, bad)
    with own.state.db.write() as tx:
        deployments.promote(tx, bad.id, "trainer", "proven", datetime.now(UTC))
    until(lambda: own.client.get("/readyz").json()["note"] is not None, seconds=10)
    ready = own.client.get("/readyz").json()
    assert (ready["ready"], ready["model_version"], ready["champion"]) == (True, 0, bad.id)
    metrics = own.client.get("/metrics").text
    assert "rankloop_degraded 1.0" in metrics
    assert serving(own) == 0
    assert own.admin("GET", "/deployments")[0]["action"] == "promote"  # not this server's to undo


def test_the_follower_outlives_what_nobody_foresaw(own: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    version = own.version("good")
    failed: list[int] = []

    def fails(version: Version, *_: Any, **__: Any) -> Any:
        failed.append(version.id)
        raise KeyError("nobody foresaw this")

    with monkeypatch.context() as patched:
        patched.setattr(reload, "load_version", fails)
        with own.state.db.write() as tx:
            long_ago = datetime.now(UTC) - timedelta(seconds=11)
            deployments.promote(tx, version.id, "trainer", "proven", long_ago)
        until(lambda: len(failed) > 1, seconds=50)
        assert f"version {version.id} has been the champion" in own.client.get("/readyz").json()["note"]
        assert "rankloop_degraded 1.0" in own.client.get("/metrics").text
    until(lambda: serving(own) == version.id, seconds=50)
    assert own.client.get("/readyz").json()["note"] is None


def test_a_server_starts_on_the_last_champion_that_loads(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder) as server:
        good, bad = server.version("good"), server.version("bad")
        promote(server, good)
        promote(server, bad, force=True)
        models = server.settings.models_dir
    assert bad.path is not None
    shutil.rmtree(models / bad.path)
    with running(data, tiny_encoder) as server:
        ready = server.client.get("/readyz").json()
        assert (ready["model_version"], ready["champion"]) == (good.id, bad.id)
        assert "could not be loaded" in ready["note"]


def test_an_answer_in_flight_finishes_on_the_version_it_began_with(data: Path, tiny_encoder: Encoder) -> None:
    with fake_model() as fake, running(data, tiny_encoder, llm_base_url=fake.url) as server:
        version = server.version("good")
        told = _while_writing(server, fake, lambda: promote(server, version))
        assert {data["model_version"] for name, data in told if name in ("sources", "done")} == {0}
        done = told[-1][1]
        stored = server.ok(server.client.get(f"/api/answers/{done['answer_id']}"))
        assert stored["model_version"] == 0
        assert all(source["rerank_score"] is None for source in stored["sources"])
        assert server.answer()["model_version"] == version.id


def _while_writing(server: Running, fake: FakeModel, act: Any) -> list[tuple[str, dict[str, Any]]]:
    """Ask, do something while the answer is half written, and return the answer's events."""
    fake.hold_after = 1
    bodies: list[str] = []
    message = {"message": "Where is the configuration read?"}
    asking = Thread(target=lambda: bodies.append(server.client.post("/api/chat", json=message).text))
    asking.start()
    assert fake.holding.wait(20)
    act()
    fake.go.set()
    asking.join(20)
    return events(bodies[0])


def test_searches_during_a_swap_are_each_of_one_version(own: Running) -> None:
    version = own.version("good")
    seen: list[dict[str, Any]] = []
    stop = [False]

    def ask() -> None:
        while not stop[0]:
            seen.append(own.search())

    asking = [Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    until(lambda: len(seen) > 5)
    promote(own, version)
    enough = len(seen) + 9
    until(lambda: len(seen) > enough)
    stop[0] = True
    for thread in asking:
        thread.join()
    assert {one["model_version"] for one in seen} == {0, version.id}
    for one in seen:
        reranked = {result["rerank_score"] is not None for result in one["results"]}
        assert reranked == {one["model_version"] == version.id}
