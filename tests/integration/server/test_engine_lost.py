"""An engine fails and torch's weights have been damaged since: the version before it serves, and the server says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.retrieval import reload
from store.encoder import Encoder
from store.types import Version
from tests.integration.server.engines import EXACT, publish_engine
from tests.integration.server.support import Running, running, until


@pytest.fixture
def served(tmp_path: Path, prepared: Path, tiny_encoder: Encoder) -> Iterator[tuple[Running, Version]]:
    """The champion is served by another engine than torch; the version "good" was champion before it."""
    data = Path(shutil.copytree(prepared, tmp_path / "data"))
    with running(data, tiny_encoder, rerank_engine=EXACT) as server:
        good = server.version("good")
        server.admin("POST", f"/models/{good.id}/promote", json={"reason": "test"})
        champion = publish_engine(server.state.db, server.settings.models_dir)
        until(lambda: ready(server)["model_version"] == champion.id, seconds=50)
        yield server, champion


def ready(server: Running) -> dict[str, Any]:
    return dict(server.client.get("/readyz").json())


def flip(server: Running, version: Version) -> None:
    """One bit of a weight: still the right keys and shapes, and finite."""
    file = server.settings.models_dir / str(version.path) / "model.safetensors"
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)


def break_engine(server: Running, patched: pytest.MonkeyPatch) -> None:
    fast = server.state.follower.reranker.current().fast
    assert fast is not None

    def fails(*_: Any) -> None:
        raise RuntimeError("out of memory")

    patched.setattr(fast._engine, "run", fails)


def test_the_version_before_it_serves_and_it_is_told(
    served: tuple[Running, Version], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, champion = served
    good = server.version("good")
    assert (ready(server)["engine"], ready(server)["note"]) == (EXACT, None)
    flip(server, champion)
    break_engine(server, monkeypatch)
    assert server.search("which cached result is deleted")["model_version"] in (0, good.id)  # and no 409
    until(lambda: ready(server)["model_version"] == good.id, seconds=50)
    told = ready(server)
    assert told["champion"] == champion.id
    assert f"version {champion.id} is the champion but could not be loaded" in told["note"]
    assert "model.safetensors has changed" in told["note"]
    assert "rankloop_degraded 1.0" in server.client.get("/metrics").text
    assert server.search("which session is closed")["model_version"] == good.id

    flip(server, champion)  # back as it was published
    monkeypatch.setattr(reload, "RETRY_SECONDS", 0.1)
    until(lambda: ready(server)["model_version"] == champion.id, seconds=50)
    assert (ready(server)["engine"], ready(server)["note"]) == (EXACT, None)


def test_searches_are_answered_until_another_version_is_found(
    served: tuple[Running, Version], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, champion = served
    server.state.follower.stop()
    flip(server, champion)
    break_engine(server, monkeypatch)
    found = server.search("which cached result is deleted")
    assert found["model_version"] == 0
    assert all(one["rerank_score"] is None for one in found["results"])
    told = ready(server)
    assert (told["engine"], told["engine_reason"]) == (None, None)
    assert "can't score any more" in told["note"]
    assert "model.safetensors has changed" in told["note"]
    assert "rankloop_degraded 1.0" in server.client.get("/metrics").text


def test_sound_weights_serve_on_by_torch(served: tuple[Running, Version], monkeypatch: pytest.MonkeyPatch) -> None:
    server, champion = served
    break_engine(server, monkeypatch)
    assert server.search("which cached result is deleted")["model_version"] == champion.id
    told = ready(server)
    assert (told["engine"], told["note"]) == ("torch-fp32", None)
    assert "out of memory" in told["engine_reason"]
