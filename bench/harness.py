"""A real server on a data directory of its own, for benchmarks: started, waited for, stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rankloop.client import Client
from store.errors import RankloopError
from store.settings import process_environment

READY_S = 120


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    data: Path
    process: subprocess.Popen[bytes]

    def client(self, user: str | None = None, *, admin: bool = False) -> Client:
        token = (self.data / "admin-token").read_text(encoding="utf-8").strip() if admin else None
        return Client(self.url, user=user, token=token, timeout=300.0)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def served(data: Path, log: Path, settings: Mapping[str, str] | None = None) -> Iterator[Served]:
    """``rankloop serve`` with its trainer on ``data``; ``settings`` are further ``RANKLOOP_*`` values."""
    port = free_port()
    changes = {"RANKLOOP_DATA": str(data), "RANKLOOP_PORT": str(port), "RANKLOOP_BURST_SIGNALS": "0"}
    changes |= settings or {}  # simulated people rate faster than a person could, so nothing of theirs is held back
    with log.open("ab") as out:
        command = [sys.executable, "-m", "rankloop", "serve"]
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=process_environment(changes), start_new_session=True
        )
    server = Served(f"http://127.0.0.1:{port}", data, process)
    try:
        wait_ready(server, log)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)


def wait_ready(server: Served, log: Path) -> None:
    """Raises RankloopError with the end of the log when the server does not come up."""
    deadline = time.monotonic() + READY_S
    client = Client(server.url, timeout=5.0)
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            client.call("GET", "/readyz")
        except RankloopError:
            time.sleep(0.3)
        else:
            return
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RankloopError(f"the server did not become ready; its log ends:\n{tail}")
