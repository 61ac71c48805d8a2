"""``rankloop serve`` as a process: it greets, indexes, refuses a second one, survives kill -9, and ends when asked."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from rankloop.client import Client
from rankloop.locks import holder, server_lock, trainer_lock
from store import impressions, jobs
from store.settings import process_environment
from store.types import JobKind
from tests.integration.rankloop.conftest import QUESTION, Desk, Models
from tests.integration.server.support import ADMIN, TOKEN, events, fake_model

START_S = 240
"""Patience with a busy machine; nothing is promised about starting."""
TRAINER_ENDS_S = 50.0
"""Five times the seconds that are promised."""
TERM_S = 50.0
"""Five times the 10 s that are promised."""


class Serve:
    """One ``rankloop serve`` and what it has printed."""

    def __init__(self, desk: Desk, *words: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rankloop", "serve", *words],
            env=process_environment(desk.environment | environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, words: str) -> None:
        eventually(lambda: words in self.output or self.process.poll() is not None, START_S, lambda: self.output)
        assert words in self.output, self.output

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """After the last process that holds the pipe has ended."""
        self._reader.join(TRAINER_ENDS_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


def eventually(true: Callable[[], bool], seconds: float, why: Callable[[], str] = str) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"it did not happen in {seconds} s: {why()}"
        time.sleep(0.05)


def free_port() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return str(sock.getsockname()[1])


def trainer_pid(desk: Desk) -> int | None:
    about = holder(trainer_lock(desk.data))
    return None if about is None else int(about["pid"])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_life_of_a_server(tmp_path: Path, models: Models, code: Path) -> None:
    desk, port = Desk(tmp_path / "data", models), free_port()
    first = Serve(desk, "--port", port, "--index", str(code))
    second: Serve | None = None
    try:
        first.wait_for("Ask away")
        url = f"http://127.0.0.1:{port}"
        assert f"Rankloop runs at {url}/" in first.output
        assert "#link=" not in first.output, "this is no terminal"
        assert f"the token in {desk.data}/admin-token" in first.output
        assert "Traceback" not in first.output
        assert "Loading" not in first.output
        with Client(url) as signing_in:
            signing_in.call("POST", "/api/session", {"token": (desk.data / "admin-token").read_text().strip()})
            assert signing_in.overview().champion.version_id == 0
        assert f"process {first.process.pid}" in desk.refuses("serve", "--port", free_port())
        assert port in Desk(tmp_path / "other", models).refuses("serve", "--port", port)

        with Client(url, user="ann") as ann:
            answer = ann.answer(QUESTION)
            chunk = answer.sources[0].chunk_id
            assert answer.answer_id is not None
            ann.rate_chunk(answer.answer_id, chunk, True)
        eventually(lambda: trainer_pid(desk) is not None, START_S, lambda: first.output)
        trainer = trainer_pid(desk)
        assert trainer is not None
        first.kill()
        eventually(lambda: not alive(trainer), TRAINER_ENDS_S)
        assert holder(server_lock(desk.data)) is None

        second = Serve(desk, "--port", port)
        second.wait_for("Sign in with")
        with Client(url, user="ann") as ann:
            assert ann.receipt(answer.answer_id).rating.chunks == {chunk: True}
            assert ann.answer(QUESTION).sources
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(timeout=TERM_S) == 0
        eventually(lambda: trainer_pid(desk) is None, TRAINER_ENDS_S)
        assert "Traceback" not in second.output
    finally:
        for one in (first, second):
            if one is not None:
                one.kill()
                one.close()


def test_open_streams_are_told_that_the_server_stops(desk: Desk) -> None:
    """A chat whose language model hangs, and the log of a job that no worker takes."""
    with desk.database().write() as tx:
        job = jobs.enqueue(tx, JobKind.NIGHTLY, {}, "ann", datetime.now(UTC))
    assert job is not None
    with fake_model() as fake:
        fake.hold_after = 1
        port, more = free_port(), {"RANKLOOP_TRAINER": "false", "RANKLOOP_ADMIN_TOKEN": TOKEN}
        server = Serve(desk, "--port", port, RANKLOOP_LLM_BASE_URL=fake.url, **more)
        try:
            server.wait_for("Sign in with")
            url = f"http://127.0.0.1:{port}"
            chat = Stream("POST", f"{url}/api/chat", json={"message": QUESTION})
            log = Stream("GET", f"{url}/api/admin/jobs/{job.id}/events")
            eventually(lambda: "event: token" in chat.text and "event: job" in log.text, TERM_S, lambda: server.output)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=TERM_S) == 0
        finally:
            server.kill()
            server.close()
    for stream in (chat, log):
        stream.join(TERM_S)
        assert events(stream.text)[-1][0] == "error", stream.text
        assert events(stream.text)[-1][1]["error"]["code"] == "stopping"
    shown = dict(events(chat.text))["sources"]["answer_id"]
    with desk.database().read() as tx:
        assert impressions.get_answer(tx, shown).answer == fake.says[0]


class Stream(threading.Thread):
    """Reads a stream of events into ``text`` until it ends."""

    def __init__(self, method: str, url: str, **more: Any) -> None:
        super().__init__(daemon=True)
        self._request, self.text = (method, url, more), ""
        self.start()

    def run(self) -> None:
        method, url, more = self._request
        with httpx.stream(method, url, headers=ADMIN, timeout=START_S, **more) as response:
            for piece in response.iter_text():
                self.text += piece


def test_whoever_sits_before_the_terminal_gets_a_link(tmp_path: Path, models: Models) -> None:
    desk, port = Desk(tmp_path / "data", models), free_port()
    url = f"http://127.0.0.1:{port}"
    ours, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rankloop", "serve", "--port", port, "--no-trainer"],
        env=process_environment(desk.environment),
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    try:
        shown = ""
        while (link := re.search(rf"{re.escape(url)}/admin#link=(\S+)", shown)) is None or "Ctrl-C" not in shown:
            shown += os.read(ours, 4096).decode()  # ends with an OSError where the server does
        with Client(url) as signing_in:
            signing_in.call("POST", "/api/session", {"link": link.group(1)})
            assert signing_in.overview().champion.version_id == 0
    finally:
        process.terminate()
        process.wait(TERM_S)
        os.close(ours)


def test_a_folder_that_is_not_there_is_refused_before_anything_starts(empty: Desk) -> None:
    assert "not a folder" in empty.refuses("serve", "--index", empty.data / "nothing")
    assert not empty.data.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "example.invalid"])
def test_listening_for_other_machines_needs_a_secret(empty: Desk, host: str) -> None:
    assert "RANKLOOP_" in empty.refuses("serve", "--host", host)
