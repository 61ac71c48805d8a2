"""A real server for tests: real SQLite, real Qdrant local mode, tiny real models; only the language model is a fake."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from fastapi.testclient import TestClient
from pydantic import SecretStr

from server.app import create_app
from server.state import AppState
from store import registry
from store.database import Database
from store.encoder import Encoder
from store.settings import Settings
from store.types import Blend, Decision, Version
from tests import tiny

TOKEN = "test-admin-token"
ORIGIN = "http://localhost"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
CODE = {
    "auth/login.py": '''"""Sign people in."""


def login(user, password):
    """Check the password of a user and open a session."""
    return session_for(user) if check(user, password) else None


def logout(session):
    """Close the session of a user."""
    session.close()
''',
    "config.py": '''"""Settings read."""

import json


def load_config(path):
    """Read the configuration from a json file."""
    with open(path) as file:
        return json.load(file)
''',
    "save.py": '''"""Settings written."""

import json


def save_config(path, values):
    """Write the configuration back to its file."""
    with open(path, "w") as file:
        json.dump(values, file)
''',
    "cache.py": '''"""A cache of queries."""


class QueryCache:
    """Keeps the result of a query until it is too old."""

    def find(self, query):
        """The cached result of a query, or None."""
        return self.entries.get(query)

    def delete(self, query):
        """Forget the result of a query."""
        self.entries.pop(query, None)
''',
}


@dataclass
class Running:
    """A started application with its parts."""

    client: TestClient
    state: AppState
    settings: Settings
    encoder: Encoder

    def search(self, query: str = "read the configuration", **more: Any) -> dict[str, Any]:
        return dict(self.ok(self.client.post("/api/search", json={"query": query, **more})))

    def answer(self, question: str = "Where is the configuration read?", **more: Any) -> dict[str, Any]:
        return dict(self.ok(self.client.post("/api/answer", json={"question": question, **more})))

    @staticmethod
    def ok(response: Any, status: int = 200) -> Any:
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    def admin(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        return self.ok(self.client.request(method, f"/api/admin{path}", headers=ADMIN, **more), status)

    def wait_for_job(self, job_id: int, seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self.admin("GET", f"/jobs/{job_id}")
            if job["state"] in ("succeeded", "failed", "cancelled"):
                return dict(job)
            time.sleep(0.05)
        raise AssertionError("the job did not end")

    def eventually(self, path: str, seconds: float = 10) -> Any:
        """The body at ``path`` once it is there."""
        until(lambda: self.client.get(path).status_code == 200, seconds)
        return self.ok(self.client.get(path))

    def index(self, root: Path, name: str = "shop") -> dict[str, Any]:
        for path, text in CODE.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        started = self.admin("POST", "/repos", 202, json={"name": name, "path": str(root)})
        job = self.wait_for_job(started["job_id"])
        assert job["state"] == "succeeded", job
        return job

    def version(self, name: str) -> Version:
        """One of the versions that the prepared data directory holds: good, bad (the gate's friends) or unproven."""
        with self.state.db.read() as tx:
            return next(version for version in registry.list_all(tx) if version.name == name)


def publish(db: Database, models: Path, name: str, seed: int, decision: Decision) -> Version:
    """Register a tiny random cross-encoder that outweighs the first stage."""
    staged = registry.staging(models, 1000 + seed)
    staged.rmdir()
    tiny.cross_encoder(staged, seed=seed)
    (staged / "README.md").write_text(f"# {name}\n")
    draft = registry.VersionDraft(
        name=name,
        base="tiny",
        blend=Blend(dense=0.0, lexical=0.0, rerank=1.0),
        max_length=256,
        metrics={"against": {"version": 0}},
        decision=decision,
    )
    return registry.publish(db, models, staged, draft, datetime.now(UTC))


@contextmanager
def running(data: Path, encoder: Encoder, **settings: Any) -> Iterator[Running]:
    """Start an application on ``data``, seen from this machine."""
    chosen = Settings(data=data, admin_token=SecretStr(TOKEN), trainer=False, **settings)
    app = create_app(chosen, encoder=encoder)
    with TestClient(app, base_url=ORIGIN, client=("127.0.0.1", 50000)) as client:
        state = client.app.state.rankloop  # type: ignore[attr-defined]
        yield Running(client, state, chosen, encoder)


def database(settings: Settings) -> Database:
    """A second connection to the same file, as another process would have."""
    return Database.open(settings.database)


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Parse server-sent events."""
    found: list[tuple[str, dict[str, Any]]] = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


@dataclass
class FakeModel:
    """An OpenAI-shaped server that says what a test tells it to."""

    says: list[str] = field(default_factory=lambda: ["The configuration ", "is read here [1]", ", not there [99]."])
    asked: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    hold_after: int | None = None
    """Wait for ``go`` after this many pieces."""
    break_after: int | None = None
    """Drop the connection after this many pieces."""
    pause: float = 0
    """Seconds before each piece."""
    holding: Event = field(default_factory=Event)
    go: Event = field(default_factory=Event)
    url: str = ""


@contextmanager
def fake_model() -> Iterator[FakeModel]:
    fake = FakeModel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            fake.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if fake.status != 200:
                self._head(fake.status, "application/json")
                self.wfile.write(b'{"error": {"message": "no"}}')
                return
            self._head(200, "text/event-stream")
            self._stream()

        def _stream(self) -> None:
            for number, piece in enumerate(fake.says):
                if number == fake.break_after:
                    self.wfile.write(b"data: {not json\n\n")
                    return
                if number == fake.hold_after:
                    fake.holding.set()
                    fake.go.wait(20)
                body = {"choices": [{"index": 0, "delta": {"content": piece}}], "id": "1", "object": "x"}
                time.sleep(fake.pause)
                try:
                    self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())
                    self.wfile.flush()
                except OSError:
                    return
            self.wfile.write(b"data: [DONE]\n\n")

        def _head(self, status: int, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield fake
    finally:
        fake.go.set()
        server.shutdown()
        server.server_close()
        thread.join()


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
