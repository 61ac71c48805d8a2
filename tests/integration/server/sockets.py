"""A running application behind a real socket, for what only a socket can show: hanging up, and true concurrency."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

from tests.integration.server.support import Running


class Reader:
    """A raw HTTP request whose response is read as it comes."""

    def __init__(self, port: int, method: str, path: str, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)

    def read_until(self, mark: bytes) -> bytes:
        """Everything up to the block that holds ``mark``."""
        read = b""
        while mark not in read:
            part = self._socket.recv(65536)
            assert part, read
            read += part
        return read.replace(b"\r\n", b"\n").partition(b"\n\n")[2]

    def close(self) -> None:
        self._socket.close()


@contextmanager
def listening(server: Running) -> Iterator[Callable[[str, str, dict[str, Any]], Reader]]:
    """As ``on_a_port``, with what sends a raw request there."""
    with on_a_port(server) as port:
        yield lambda method, path, body: Reader(port, method, path, body)


@contextmanager
def on_a_port(server: Running) -> Iterator[int]:
    """Serve the already started application on a free port, without starting it a second time."""
    config = uvicorn.Config(server.client.app, port=0, lifespan="off", log_level="error")
    web = uvicorn.Server(config)
    thread = Thread(target=web.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not web.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield web.servers[0].sockets[0].getsockname()[1]
    finally:
        web.should_exit = True
        thread.join(20)
