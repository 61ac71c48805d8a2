"""One actor gives 500 ratings within minutes, over HTTP: nothing is trained from them until a person releases them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from store import deployments, jobs, judgments, registry, snapshots
from store.encoder import Encoder
from store.types import Job, JobKind, JobState, Snapshot
from tests import tiny
from tests.integration.server.support import Running, running
from tests.integration.trainer import code_world
from tests.integration.trainer.code_world import THINGS, VERBS
from trainer.base import make_residual_base
from trainer.dataset import build
from trainer.pipeline import Trainer
from trainer.worker import Worker

FLOOD, HONEST = "mallory", "ann"
RATINGS = 500


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return code_world.encoder()


def rate(server: Running, actor: str, answer: dict[str, Any], chunk_id: int, relevant: bool | None) -> None:
    path = f"/api/answers/{answer['answer_id']}/chunks/{chunk_id}/rating"
    who = {"X-Rankloop-User": actor}
    server.ok(server.client.put(path, json={"relevant": relevant}, headers=who))


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A data directory: one honest vote by each actor, then the flood."""
    folder = tmp_path_factory.mktemp("flooded")
    with running(folder / "data", encoder) as server:
        server.index(folder / "code")
        questions = [f"where does the code {verb} a {thing}" for verb, thing in zip(VERBS, THINGS, strict=False)]
        answers = [server.answer(question) for question in questions]
        for actor in (HONEST, FLOOD):
            rate(server, actor, answers[0], answers[0]["sources"][0]["chunk_id"], True)
        for n in range(RATINGS):
            answer = answers[n % len(answers)]
            source = answer["sources"][(n // len(answers)) % len(answer["sources"])]
            turn = n // (len(answers) * len(answer["sources"])) % 2 == 0
            rate(server, FLOOD, answer, source["chunk_id"], turn == (source["n"] == 2))
    return folder / "data"


@pytest.fixture
def server(flooded: Path, tmp_path: Path, encoder: Encoder) -> Iterator[Running]:
    shutil.copytree(flooded, tmp_path / "data")
    with running(tmp_path / "data", encoder) as started:
        yield started


def made(server: Running, encoder: Encoder) -> Snapshot:
    return build(server.state.db, encoder, server.settings, datetime.now(UTC))


def speakers(server: Running) -> set[str]:
    with server.state.db.read() as tx:
        return {actor for judgment in judgments.all_of(tx) for actor in judgment.actors}


def decide(server: Running, action: str) -> dict[str, Any]:
    (burst,) = server.admin("GET", "/quarantine")["bursts"]
    body = {key: burst[key] for key in ("account", "first_signal", "last_signal")}
    return dict(server.admin("POST", "/quarantine", json={**body, "action": action, "reason": "looked at it"}))


def test_a_flood_makes_no_judgment_until_it_is_released(server: Running, encoder: Encoder) -> None:
    held = server.admin("GET", "/quarantine")
    (burst,) = held["bursts"]
    assert (burst["account"], burst["fate"], burst["decided_by"]) == (FLOOD, "held", None)
    assert burst["signals"] > held["signals"]
    before = made(server, encoder)
    assert speakers(server) == {HONEST}
    assert before.stats["actors"] == 1
    assert before.stats["missing"][0].startswith(f"{burst['signals']} ratings are held back")
    assert before.stats["held_back"][0]["account"] == FLOOD
    assert before.params["dataset_policy"]["judge"]["burst_signals"] == server.settings.burst_signals
    with server.state.db.read() as tx:
        heard = snapshots.signal_ids(tx, before.hash)
    assert not heard & set(range(burst["first_signal"], burst["last_signal"] + 1))
    assert made(server, encoder).hash == before.hash

    after = decide(server, "release")["bursts"][0]
    assert (after["fate"], after["reason"]) == ("released", "looked at it")
    assert after["decided_by"]
    released = made(server, encoder)
    assert speakers(server) == {HONEST, FLOOD}
    assert released.stats["judgments"]["all"] > before.stats["judgments"]["all"]
    assert released.hash != before.hash

    decide(server, "leave_out")
    again = made(server, encoder)
    assert again.hash == before.hash, "the same signals give the same data set"
    assert again.pairs == before.pairs
    assert speakers(server) == {HONEST}


def night(server: Running, encoder: Encoder, folder: Path, **more: Any) -> Job:
    """The scheduled job, run by a real worker."""
    db = server.state.db
    base = make_residual_base(tiny.encoder(folder / "body"), folder / "base", max_length=64)
    settings = server.settings.model_copy(update={"base": str(base), "max_length": 64, "min_new_groups": 2, **more})
    trainer = Trainer(db, settings, lambda: encoder, lambda: datetime.now(UTC))
    with db.write() as tx:
        job = jobs.enqueue(tx, JobKind.NIGHTLY, {}, "schedule", datetime.now(UTC))
    assert job is not None
    worker = Worker(db, {JobKind.NIGHTLY: trainer.nightly}, Event(), lambda: datetime.now(UTC))
    assert worker.run_one() is not None
    with db.read() as tx:
        ended = jobs.get(tx, job.id)
    assert ended.state is JobState.SUCCEEDED, ended.error
    return ended


def test_a_night_over_a_flood_trains_and_promotes_nothing(server: Running, encoder: Encoder, tmp_path: Path) -> None:
    ended = night(server, encoder, tmp_path)
    assert ended.result is not None
    assert ended.result["version"] is None
    with server.state.db.read() as tx:
        assert deployments.champion(tx).version_id == 0
        assert [version.id for version in registry.list_all(tx)] == [0]


def test_without_the_limit_the_same_night_would_train(server: Running, encoder: Encoder, tmp_path: Path) -> None:
    ended = night(server, encoder, tmp_path, burst_signals=0)
    assert ended.result is not None
    assert ended.result["version"] == 1, ended.result["reasons"]


def test_only_bursts_that_are_there_can_be_decided_about(server: Running) -> None:
    body = {"account": HONEST, "first_signal": 1, "last_signal": 10_000, "action": "release"}
    server.admin("POST", "/quarantine", 404, json=body)
    server.admin("POST", "/quarantine", 422, json={**body, "action": "held"})
    assert server.client.get("/api/admin/quarantine").status_code == 401
