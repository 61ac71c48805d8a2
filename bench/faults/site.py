"""A ``rankloop serve`` that can be killed, stopped and started again on the same data directory."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

from bench.harness import free_port
from rankloop.client import Client
from rankloop.locks import holder, trainer_lock
from store.errors import RankloopError
from store.settings import Settings, process_environment

READY_S = 240.0
T = TypeVar("T")
ADMIN_TOKEN = "bench-faults-admin-token-0123456789"


class Site:
    """One data directory, one port, and the processes on it."""

    def __init__(self, data: Path, settings: Mapping[str, str]) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.with_name(f"{data.name}.log")
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = process_environment(
            {
                "RANKLOOP_DATA": str(data),
                "RANKLOOP_PORT": str(self.port),
                "RANKLOOP_ADMIN_TOKEN": ADMIN_TOKEN,
                "OMP_NUM_THREADS": "1",
                **settings,
            }
        )

    @property
    def settings(self) -> Settings:
        return Settings(data=self.data)

    def start(self) -> float:
        """Start, and wait until it is ready; returns the seconds that took. Raises RankloopError with the log's end."""
        began = time.monotonic()
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rankloop", "serve"],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        while time.monotonic() < began + READY_S and self.process.poll() is None:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return time.monotonic() - began
            time.sleep(0.05)
        raise RankloopError(f"the server did not become ready; its log ends:\n{self.tail()}")

    def tail(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def client(self, user: str | None = None, *, admin: bool = False, timeout: float = 60.0) -> Client:
        return Client(self.url, user=user, token=ADMIN_TOKEN if admin else None, timeout=timeout)

    def trainer(self) -> int | None:
        """The trainer's process, None while there is none."""
        about = holder(trainer_lock(self.data))
        return None if about is None or "pid" not in about else int(about["pid"])

    def wait_for_trainer(self, other_than: int | None = None, patience_s: float = READY_S) -> int | None:
        return wait_for(lambda: pid if (pid := self.trainer()) != other_than else None, patience_s)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9 of the server. The trainer notices and ends by itself."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_trainer(self, number: int = signal.SIGKILL) -> int | None:
        """Send the trainer a signal; its process, None where there was none."""
        pid = self.trainer()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return None
        return pid

    def stop(self) -> tuple[int, float]:
        """SIGTERM: exit code and seconds until it had ended."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        return code, time.monotonic() - began

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if (pid := self.trainer()) is not None and wait_for(lambda: self.trainer() is None, 60) is None:
            os.kill(pid, signal.SIGKILL)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a reader of the database sees now, past the server."""
        connection = sqlite3.connect(f"file:{self.data / 'rankloop.db'}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()


@contextmanager
def site(data: Path, settings: Mapping[str, str]) -> Iterator[Site]:
    """Started, and ended with everything it started."""
    made = Site(data, settings)
    try:
        made.start()
        yield made
    finally:
        made.close()


def wait_for(look: Callable[[], T | None], patience_s: float, pause_s: float = 0.1) -> T | None:
    """The first answer that is not None (or False), None once patience ends."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        found = look()
        if found is not None and found is not False:
            return found
        time.sleep(pause_s)
    return None


def copy_of(data: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(data, to)
    return to
