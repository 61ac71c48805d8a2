"""A running server chooses the engine, says which and why, and goes back to torch when it must."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from server.indexing import embed
from server.state import WAITING, WORKERS
from store.encoder import Encoder
from store.engines.names import TORCH, WEIGHTS_FILE
from store.scorer import Logits
from store.settings import Settings
from store.types import Version
from tests.integration.server.engines import EXACT, publish_engine
from tests.integration.server.support import Running, running, until


def publish_with_engine(server: Running) -> Version:
    return publish_engine(server.state.db, server.settings.models_dir)


@pytest.fixture(scope="module")
def with_engine(tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder) -> Path:
    data = tmp_path_factory.mktemp("engine") / "data"
    shutil.copytree(prepared, data)
    with running(data, tiny_encoder) as server:
        publish_with_engine(server)
    return data


@pytest.fixture
def data(with_engine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(with_engine, tmp_path / "data"))


def ready(server: Running) -> dict[str, Any]:
    return dict(server.client.get("/readyz").json())


def by_chunk(server: Running) -> dict[int, float]:
    return {one["chunk_id"]: one["rerank_score"] for one in server.search()["results"]}


def test_a_forced_engine_serves_torchs_scores_within_its_bound(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder, rerank_engine=TORCH) as server:
        assert (ready(server)["engine"], ready(server)["engine_reason"]) == (TORCH, "set by RANKLOOP_RERANK_ENGINE")
        want = by_chunk(server)
    with running(data, tiny_encoder, rerank_engine=EXACT) as server:
        assert ready(server)["engine"] == EXACT
        got = by_chunk(server)
    assert got.keys() == want.keys()
    np.testing.assert_allclose([got[i] for i in want], list(want.values()), atol=1e-3)


def test_the_choice_is_told_and_null_where_nothing_is_reranked(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder) as server:
        assert ready(server)["engine"] in (TORCH, EXACT)
        assert ready(server)["engine_reason"]
        server.admin("POST", "/rollback", json={"reason": "test", "to": 0})
        assert (ready(server)["engine"], ready(server)["engine_reason"]) == (None, None)


def test_a_damaged_engine_is_told_and_torch_serves(
    data: Path, tiny_encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    weights = next(data.glob(f"models/v*/{WEIGHTS_FILE}"))
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1])
    with running(data, tiny_encoder) as server:
        told = ready(server)
        assert told["ready"] is True
        assert told["engine"] == TORCH
        assert "bytes instead of" in told["engine_reason"]
        assert server.search()["model_version"] == told["champion"]
    assert any("bytes instead of" in record.message for record in caplog.records if record.levelname == "WARNING")


def test_the_same_question_is_scored_once(data: Path, tiny_encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(data, tiny_encoder, rerank_engine=TORCH) as server:
        scorer = server.state.follower.reranker.current().scorer
        assert scorer is not None
        calls: list[int] = []
        real = scorer.score

        def counted(query: str, texts: Sequence[str]) -> Logits:
            calls.append(len(texts))
            return real(query, texts)

        monkeypatch.setattr(scorer, "score", counted)
        first, second = by_chunk(server), by_chunk(server)
        assert first == second
        assert len(calls) == 1
        server.search("delete the cached result")
        assert len(calls) == 2


def test_more_questions_than_fit_are_told_to_come_back(
    data: Path, tiny_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the model is busy the queue fills; whoever finds it full is refused, all others are answered."""
    with running(data, tiny_encoder, rerank_engine=TORCH) as server:
        scorer = server.state.follower.reranker.current().scorer
        assert scorer is not None
        go, real = Event(), scorer.score

        def waits(query: str, texts: Sequence[str]) -> Logits:
            assert go.wait(60)
            return real(query, texts)

        monkeypatch.setattr(scorer, "score", waits)
        fit = WORKERS + WAITING
        refused = 3
        with ThreadPoolExecutor(fit + refused) as people:
            asked = [
                people.submit(server.client.post, "/api/search", json={"query": f"read {n}"})
                for n in range(fit + refused)
            ]
            until(lambda: sum(one.done() for one in asked) == refused, seconds=60)
            assert server.client.get("/healthz").status_code == 200
            early = [one.result() for one in asked if one.done()]
            go.set()
            late = [one.result() for one in asked if one.result() not in early]
    assert [one.status_code for one in early] == [503] * refused
    assert all(int(one.headers["Retry-After"]) > 0 for one in early)
    assert [one.json()["error"]["code"] for one in early] == ["busy"] * refused
    assert [one.status_code for one in late] == [200] * fit


def test_an_unknown_engine_is_no_setting() -> None:
    with pytest.raises(ValueError, match="rerank_engine"):
        Settings.model_validate({"rerank_engine": "fastest"})


@pytest.mark.parametrize("library", [True, False], ids=["openvino", "without it"])
def test_what_embedded_the_index_is_told(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: bool
) -> None:
    """An encoder of its own: what another test made it tell is none of this one's."""
    code = tmp_path / "code"
    code.mkdir()
    for n in range(6):
        (code / f"f{n}.py").write_text(f"def f{n}(path):\n    return parse(path, {n})\n")
    monkeypatch.setattr(embed, "MANY", 5)
    if not library:
        monkeypatch.setitem(sys.modules, "openvino", None)
    data = Path(shutil.copytree(prepared, tmp_path / "data"))
    with running(data, Encoder.load(Settings(data=data).encoder)) as server:
        assert ready(server)["embedding"] is None
        server.index(code, "more")
        told = ready(server)["embedding"]
    assert told.startswith("openvino-") if library else "not installed" in told
