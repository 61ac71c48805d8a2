"""``rankloop.client`` against a server that answers otherwise than this release."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from rankloop.client import Client
from store.errors import Unavailable


class _Other(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"hits": []}')

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def other_release() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Other)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_another_releases_answer_is_one_sentence() -> None:
    with other_release() as url, Client(url) as client, pytest.raises(Unavailable, match="another release") as refused:
        client.search("anything")
    assert "\n" not in refused.value.message
    assert url in refused.value.message
