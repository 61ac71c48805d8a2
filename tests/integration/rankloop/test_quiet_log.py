"""The log at its loudest holds no token, no question and no answer, whatever is asked and whatever fails."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote_plus

import httpx

from tests.integration.rankloop.conftest import Desk, Models
from tests.integration.rankloop.test_serve_process import Serve, free_port
from tests.integration.server.support import ADMIN, TOKEN, fake_model

QUESTION = "Where is the zanzibar configuration of the okapi read?"
NOTE = "the quokka file would have been right"
WRONG = "wrong-token-" + "k3Jd8sLq0ZxV"
KEY = "model-key-" + "p9Wm2nRt5YbC"
LETTERS = "quagga"


def converse(url: str, data: Path) -> list[str]:
    """A conversation with its ratings, sign-in and failures; the secrets that came back on the way."""
    with httpx.Client(base_url=url, timeout=120) as person:
        signed = person.post("/api/session", json={"token": TOKEN})
        assert signed.status_code == 200, signed.text
        secrets = [value for cookies in (signed.cookies, person.cookies) for value in cookies.values()]
        assert person.post("/api/session", json={"token": WRONG}).status_code == 401
        assert person.post("/api/session", json={"link": WRONG}).status_code == 401
        wrong = {"Authorization": f"Bearer {WRONG}"}
        assert httpx.get(f"{url}/api/admin/overview", headers=wrong).status_code == 401
        told = person.post("/api/chat", json={"message": QUESTION, "stream": False}).json()
        path = f"/api/answers/{told['answer_id']}"
        assert person.put(f"{path}/rating", json={"thumb": "down", "note": NOTE}).status_code == 200
        assert person.put(f"{path}/rating", json={"thumb": QUESTION}).status_code == 422
        assert person.post("/api/chat", json={"message": QUESTION, "repo": QUESTION}).status_code in (404, 422)
        assert person.post("/api/search", content=f'{{"query": "{QUESTION}"').status_code == 422
        assert person.get("/api/admin/judgments", params={"search": QUESTION}, headers=ADMIN).status_code == 200
        streamed = person.post("/api/chat", json={"message": QUESTION})
        assert "event: done" in streamed.text
        with sqlite3.connect(data / "rankloop.db", timeout=30) as db:
            db.execute("ALTER TABLE impressions RENAME TO elsewhere")
        try:
            assert person.post("/api/answer", json={"question": QUESTION}).status_code >= 500
        finally:
            with sqlite3.connect(data / "rankloop.db", timeout=30) as db:
                db.execute("ALTER TABLE elsewhere RENAME TO impressions")
        return [value for value in secrets if len(value) > 16]


def loudest(tmp_path: Path, models: Models, code: Path, **more: str) -> tuple[str, list[str]]:
    """All that a server prints at level debug during such a conversation, and the secrets that came back."""
    desk, port = Desk(tmp_path / "data", models), free_port()
    with fake_model() as model:
        model.says = [f"The {LETTERS} ", "is read here [1]."]
        loud = {
            "RANKLOOP_LOG_LEVEL": "debug",
            "RANKLOOP_ADMIN_TOKEN": TOKEN,
            "LLM_BASE_URL": model.url,
            "LLM_API_KEY": KEY,
            **more,
        }
        server = Serve(desk, "--port", port, "--index", str(code), "--no-trainer", **loud)
        try:
            server.wait_for("Ask away")
            secrets = converse(f"http://127.0.0.1:{port}", desk.data)
            assert len(model.asked) >= 2, "the language model was asked"
        finally:
            server.process.terminate()
            server.process.wait(200)
            server.close()
    return server.output, secrets


def test_the_log_holds_no_token_and_no_question(tmp_path: Path, models: Models, code: Path) -> None:
    log, secrets = loudest(tmp_path, models, code)
    assert "#link=" not in log, "the one-time link is for a terminal, and this is none"
    assert "Sign in with     the token of RANKLOOP_ADMIN_TOKEN" in log
    assert "DEBUG" in log, "it is at its loudest"
    unsaid = [TOKEN, WRONG, KEY, *secrets, QUESTION, "zanzibar", "okapi", NOTE, "quokka", LETTERS]
    assert secrets
    for text in unsaid:
        assert text not in log, f"{text!r} is in the log"


def test_the_log_holds_questions_where_it_is_asked_to_and_still_no_token(
    tmp_path: Path, models: Models, code: Path
) -> None:
    log, secrets = loudest(tmp_path, models, code, RANKLOOP_LOG_TEXTS="true")
    assert quote_plus(QUESTION) in log, "in the address of a search among the judgments"
    for word in ("zanzibar", "okapi"):
        assert word in log, "what the test above looks for would be found"
    for text in (TOKEN, WRONG, KEY, *secrets):
        assert text not in log, f"{text!r} is in the log"
