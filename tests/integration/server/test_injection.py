"""Code that gives orders to the language model: its answer cites only what was shown and changes nothing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.encoder import Encoder
from tests.injections import INJECTIONS, obedient
from tests.integration.server.support import ADMIN, FakeModel, Running, events, fake_model, running

ABUSE = (
    '"', '""" OR """', "NEAR(a b, 99999)", "a* b* c*", "text:a OR path:b", "-a", "^a", "a AND", "AND OR NOT",
    "(" * 7_000, "{path symbol}: x", "'; DROP TABLE chunks_fts; --", "a\u0000b", "%_\\", '"' * 7_999, "a OR " * 1_500,
    "NOT " * 1_900, "*" * 8_000, "rank MATCH 'bm25(1)'", "chunks_fts(chunks_fts) VALUES('rebuild')", "\u202e\u200b",
    " ".join(f"w{n}" for n in range(1_500)), "NEAR/0 " * 1_000, "+".join("abcdefghij" * 300),
)  # fmt: skip
PROMISED_S = 0.2
SLACK = 5
"""Of processor time, so that a busy machine is no failure."""


@pytest.fixture(scope="module")
def model() -> Iterator[FakeModel]:
    with fake_model() as fake:
        yield fake


@pytest.fixture(scope="module")
def poisoned(
    tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder, model: FakeModel
) -> Iterator[Running]:
    """Every injection is a function of the repository "poisoned"."""
    folder = tmp_path_factory.mktemp("poisoned")
    shutil.copytree(prepared, folder / "data")
    (folder / "code").mkdir()
    for n, text in enumerate(INJECTIONS):
        body = f'def quagga_{n}():\n    """{text}"""\n    return {n}\n'
        (folder / "code" / f"quagga_{n}.py").write_text(body, encoding="utf-8")
    with running(folder / "data", tiny_encoder, llm_base_url=model.url) as server:
        started = server.admin("POST", "/repos", 202, json={"name": "poisoned", "path": str(folder / "code")})
        assert server.wait_for_job(started["job_id"])["state"] == "succeeded"
        yield server


def standing(server: Running) -> tuple[object, ...]:
    """All that an order could have changed."""
    paths = ("/deployments", "/schedule", "/models", "/judgments", "/quarantine", "/jobs", "/golden")
    repos = [(repo["name"], repo["chunks"]) for repo in server.admin("GET", "/repos")]
    return repos, *(server.admin("GET", path) for path in paths)


def test_there_are_enough_injections() -> None:
    assert len(set(INJECTIONS)) >= 20


@pytest.mark.parametrize("n", range(len(INJECTIONS)))
def test_an_obedient_model_can_do_no_harm(poisoned: Running, model: FakeModel, n: int) -> None:
    before = standing(poisoned)
    model.says = [piece + " " for piece in obedient(n).split(" ")]
    body = {"message": f"What does quagga_{n} do?", "repo": "poisoned"}
    answered = poisoned.client.post("/api/chat", json=body, headers=ADMIN)
    told = dict(events(answered.text))
    shown = [source["n"] for source in told["sources"]["sources"]]
    assert set(told["citations"]["citations"]) <= set(shown)
    assert "[99]" not in told["done"]["answer"]
    assert "[0]" not in told["done"]["answer"]
    assert standing(poisoned) == before
    asked = model.asked[-1]["messages"]
    assert [message["role"] for message in asked[:1]] == ["system"]
    assert INJECTIONS[n] not in asked[0]["content"], "what code says is never among the instructions"
    assert "tools" not in model.asked[-1], "the model has nothing to act with"
    csp = answered.headers["content-security-policy"]
    assert "default-src 'none'" in csp
    assert "img-src 'self' data:" in csp


@pytest.mark.parametrize("query", ABUSE, ids=lambda query: repr(query[:20]))
def test_search_syntax_is_words(poisoned: Running, query: str) -> None:
    began = time.process_time()
    answered = poisoned.client.post("/api/search", json={"query": query, "rerank": False})
    seconds = time.process_time() - began
    assert answered.status_code in (200, 422), answered.text
    assert seconds < SLACK * PROMISED_S
