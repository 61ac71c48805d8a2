"""Which names in ``Host`` a server answers to, and that the guard asks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.guard import Guard, Message, Receive, Scope, Send
from server.hosts import Hosts
from server.proxies import Proxies
from store.settings import Settings


@pytest.mark.parametrize(
    ("host", "answers"),
    [
        (b"localhost", True),
        (b"LOCALHOST:8000", True),
        (b"127.0.0.1:8000", True),
        (b"127.9.9.9", True),
        (b"[::1]:8000", True),
        (b"code.example", True),
        (b"Code.Example.:443", True),
        (None, True),
        (b"evil.example:8000", False),
        (b"localhost.evil.example", False),
        (b"127.0.0.1.evil.example", False),
        (b"code.example.evil.example", False),
        (b"192.168.1.7", False),
        (b"[::2]", False),
        (b"", False),
        (b"\xff", False),
    ],
)
def test_a_server_for_this_machine_answers_to_its_names(host: bytes | None, answers: bool) -> None:
    assert Hosts(Settings(hosts="code.example, other.example,")).answers(host) is answers


def test_a_server_for_other_machines_checks_the_names_that_are_set() -> None:
    assert Hosts(Settings(host="192.0.2.1")).answers(b"anything.example")
    named = Hosts(Settings(host="192.0.2.1", hosts="code.example"))
    assert named.answers(b"code.example")
    assert not named.answers(b"anything.example")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_guard_refuses_a_foreign_name_before_anything_runs(method: str) -> None:
    told: list[Message] = []

    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("the application was reached")

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        told.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": "/api/x",
        "headers": [(b"host", b"evil.example")],
    }
    asyncio.run(
        Guard(never, lambda *_: None, Hosts(Settings()), Proxies(Settings()), https=False)(scope, receive, send)
    )
    assert told[0]["status"] == 403
    assert b"wrong_host" in told[1]["body"]
