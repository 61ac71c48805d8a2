"""The doctor asks the running server by which engine it scores: only that one knows that its engine failed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rankloop.doctor_engine import ask
from rankloop.locks import ProcessLock, server_lock
from store.encoder import Encoder
from store.errors import Unavailable
from tests.integration.rankloop.conftest import Desk
from tests.integration.server.engines import EXACT, publish_engine
from tests.integration.server.sockets import on_a_port
from tests.integration.server.support import Running, fake_model, running


@pytest.fixture
def fast(desk: Desk) -> Desk:
    """The champion has another engine than torch."""
    db = desk.database()
    publish_engine(db, desk.settings.models_dir)
    db.dispose()
    return desk


@contextmanager
def serving(desk: Desk) -> Iterator[Running]:
    """As ``rankloop serve``: the lock says where the server answers."""
    with (
        running(desk.data, Encoder.load(str(desk.models.encoder)), rerank_engine=EXACT) as server,
        on_a_port(server) as port,
        ProcessLock(server_lock(desk.data), url=f"http://127.0.0.1:{port}"),
    ):
        yield server


def line(desk: Desk) -> str:
    done = desk.run("doctor", RANKLOOP_RERANK_ENGINE=EXACT)
    (found,) = [line for line in done.output.splitlines() if line[6:].startswith("engine:")]
    return str(found)


def test_an_engine_that_failed_while_serving_is_a_fault(fast: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(fast) as server:
        assert line(fast).startswith(f"ok    engine: the running server scores by {EXACT}")
        assert "rankloop_engine_fallback 0.0" in server.client.get("/metrics").text
        engine = server.state.follower.reranker.current().fast
        assert engine is not None

        def fails(*_: Any) -> None:
            raise RuntimeError("out of memory")

        monkeypatch.setattr(engine._engine, "run", fails)
        server.search("which cached result is deleted")
        assert "rankloop_engine_fallback 1.0" in server.client.get("/metrics").text
        told = line(fast)
    assert told.startswith("fault engine: the running server scores by torch-fp32")
    assert "out of memory" in told
    assert line(fast).startswith(f"ok    engine: {EXACT}: set by RANKLOOP_RERANK_ENGINE")  # no server any more


def test_a_server_that_does_not_answer_is_said_and_no_end(fast: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(Unavailable, match="does not answer"):
            ask(url, 0.2)
    with ProcessLock(server_lock(fast.data), url=url):  # closed by now
        told = line(fast)
    assert told.startswith("ok    engine: the running server")
    assert "does not answer" in told
    assert f"{EXACT}: set by" in told
    with pytest.raises(Unavailable, match="does not answer"):
        ask("")
    with fake_model() as other, pytest.raises(Unavailable, match="no server of this release"):
        ask(other.url)
