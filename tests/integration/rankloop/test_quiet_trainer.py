"""The trainer's log at its loudest holds no question, no note and no token, whatever a night learns from."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store import jobs
from store.encoder import Encoder
from store.settings import process_environment
from store.types import Job, JobKind, JobState
from tests.browser.night import THINGS, VERBS, code
from tests.integration.rankloop.conftest import Desk, Models
from tests.integration.rankloop.test_serve_process import START_S, TERM_S, eventually
from tests.integration.server.support import TOKEN, Running, running

NOTE = "the quokka file would have been right"
KEY = "model-key-" + "p9Wm2nRt5YbC"
WORD = "okapi"


def rated(server: Running, folder: Path) -> list[str]:
    """Index 64 functions, ask for each and vote for those that are found; their questions."""
    for name, text in code().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    server.index(folder)
    asked = []
    for verb in VERBS:
        for thing in THINGS:
            question = f"where does the {WORD} {VERBS[verb]} its {THINGS[thing]}?"
            found: Any = server.answer(question, top_k=50)
            place, who = f"/api/answers/{found['answer_id']}", {"X-Rankloop-User": "ann"}
            right = next((one for one in found["sources"] if one["path"] == f"{thing}/{verb}.py"), None)
            body = {"thumb": "down", "note": NOTE}
            server.ok(server.client.put(f"{place}/rating", json=body, headers=who))
            if right is not None:
                wrong = next(one for one in found["sources"] if one is not right)
                for one in (right, wrong):  # to this tiny encoder all texts are alike, so no negative can be mined
                    vote = f"{place}/chunks/{one['chunk_id']}/rating"
                    server.ok(server.client.put(vote, json={"relevant": one is right}, headers=who))
                asked.append(question)
    return asked


def test_the_trainer_s_log_holds_no_question_and_no_token(tmp_path: Path, models: Models) -> None:
    desk = Desk(tmp_path / "data", models)
    with running(desk.data, Encoder.load(str(models.encoder)), max_length=64) as server:
        asked = rated(server, tmp_path / "code")
        assert len(asked) > 20
        with server.state.db.write() as tx:
            queued = jobs.enqueue(tx, JobKind.NIGHTLY, {"max_steps": 2}, "ann", datetime.now(UTC))
    assert queued is not None
    log = log_of_the_trainer(desk, queued.id)
    assert "DEBUG" in log, "it is at its loudest"
    ended = job_of(desk, queued.id)
    assert ended.state is JobState.SUCCEEDED, ended.error
    assert ended.result is not None
    assert ended.result["version"] is not None, ended.result["reasons"]
    for text in (TOKEN, KEY, NOTE, "quokka", WORD, *asked):
        assert text not in log, f"{text!r} is in the log"


def job_of(desk: Desk, number: int) -> Job:
    db = desk.database()
    try:
        with db.read() as tx:
            return jobs.get(tx, number)
    finally:
        db.dispose()


def log_of_the_trainer(desk: Desk, job: int) -> str:
    """What a trainer prints until the job has ended and it is told to end."""
    loud = {
        "RANKLOOP_LOG_LEVEL": "debug",
        "RANKLOOP_ADMIN_TOKEN": TOKEN,
        "LLM_API_KEY": KEY,
        "RANKLOOP_BASE": str(desk.models.base),
        "RANKLOOP_MAX_LENGTH": "64",
    }
    path = desk.data / "trainer.log"
    with path.open("wb") as out:
        trainer = subprocess.Popen(
            [sys.executable, "-m", "rankloop", "trainer"],
            env=process_environment(desk.environment | loud),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            eventually(lambda: job_of(desk, job).state.ended, START_S, path.read_text)
        finally:
            trainer.terminate()
            trainer.wait(TERM_S)
    return path.read_text(encoding="utf-8")
