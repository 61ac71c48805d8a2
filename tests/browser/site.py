"""A real server for the browser: a process of its own on a free port, with real code indexed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from store import registry
from store.database import Database
from store.registry import VersionDraft
from store.types import Blend, Decision, Version
from tests import tiny

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "browser-tests-admin-token-0123456789"
CODE = (
    "store/settings.py",
    "store/errors.py",
    "store/tokens.py",
    "store/blend.py",
    "store/cron.py",
    "server/guard.py",
)
START_S = 120


@dataclass(frozen=True, slots=True)
class Site:
    url: str
    data: Path
    repo: Path

    @property
    def database(self) -> str:
        return f"sqlite:///{(self.data / 'rankloop.db').resolve()}"

    @contextmanager
    def db(self) -> Iterator[Database]:
        db = Database.open(self.database)
        try:
            yield db
        finally:
            db.dispose()

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """An admin call over HTTP, its JSON back."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        response = httpx.request(method, f"{self.url}/api/admin/{path}", json=body, headers=headers, timeout=60)
        response.raise_for_status()
        return response.json() if response.content else None

    def wait_for_job(self, job_id: int, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job = self.admin("GET", f"jobs/{job_id}")
            if job["state"] in ("succeeded", "failed", "cancelled"):
                assert job["state"] == "succeeded", job["error"]
                return
            time.sleep(0.2)
        raise AssertionError(f"job {job_id} did not end within {seconds} s")

    def publish(self, seed: int, decision: Decision, reasons: tuple[str, ...]) -> Version:
        """A real, tiny cross-encoder, published as the trainer would."""
        models = self.data / "models"
        with self.db() as db:
            staged = registry.staging(models, 900_000 + seed)
            shutil.rmtree(staged, ignore_errors=True)
            tiny.cross_encoder(staged, seed=seed)
            (staged / "README.md").write_text(f"# Version of seed {seed}\n\nA tiny cross-encoder for tests.\n")
            draft = VersionDraft(
                name=f"tiny-{seed}",
                base="tiny",
                blend=Blend(1.0, 0.1, 0.05),
                max_length=256,
                metrics={"against": {"version": 0}},
                decision=decision,
                reasons=reasons,
            )
            return registry.publish(db, models, staged, draft, datetime.now(UTC))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    folder: Path,
    files: tuple[str, ...] = CODE,
    extra: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """Serve ``folder``/data with ``files`` of this repository and ``extra`` ones indexed as ``demo``.

    No trainer runs beside it, unless ``settings`` (further environment variables) say so.
    """
    repo = folder / "demo"
    for name in files:
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, repo / name)
    for name, text in (extra or {}).items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(text, encoding="utf-8")
    site = Site(f"http://127.0.0.1:{free_port()}", folder / "data", repo)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RANKLOOP_", "LLM_"))}
    environment |= {
        "RANKLOOP_DATA": str(site.data),
        "RANKLOOP_PORT": site.url.rsplit(":", 1)[1],
        "RANKLOOP_ADMIN_TOKEN": TOKEN,
        "RANKLOOP_TRAINER": "false",
        **(settings or {}),
    }
    with (folder / "server.log").open("wb") as log:
        command = [sys.executable, "-m", "rankloop", "serve"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_ready(site, process, folder / "server.log")
            accepted = site.admin("POST", "repos", {"name": "demo", "path": str(repo)})
            site.wait_for_job(accepted["job_id"])
            yield site
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_ready(site: Site, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {log.read_text(errors='replace')[-3000:]}")
        try:
            if httpx.get(f"{site.url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"the server was not ready within {START_S} s: {log.read_text(errors='replace')[-3000:]}")
