"""A repository that is not for me looks, on every way to it, like one that does not exist."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from store.encoder import Encoder
from tests.integration.server.support import ADMIN, Running, fake_model, running

SECRET = "rotate_vault_seal"
CODE = f'''"""Seals of the vault."""


def {SECRET}(keeper):
    """Rotate the seal of the vault: login of the keeper, then a new session and configuration."""
    return keeper.seal("zanzibar")


def read_vault(path):
    """Read the configuration of the vault from a json file."""
    return open(path).read()
'''
QUESTION = "How is the vault seal rotated with zanzibar?"
Act = Callable[[Any], Any]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder) -> Iterator[Running]:
    """A server behind a proxy, with the repository "shop" for everybody and "vault" for the keepers and for ada."""
    root = tmp_path_factory.mktemp("two")
    shutil.copytree(prepared, root / "data")
    settings = {"host": "192.0.2.1", "trusted_proxies": "10.0.0.1", "proxy_user_header": "X-Person"}
    with running(root / "data", tiny_encoder, proxy_groups_header="X-Groups", asks_per_minute=0, **settings) as server:
        vault(server, root)
        limit(server)
        yield server


def vault(server: Running, root: Path) -> None:
    (root / "vault").mkdir()
    (root / "vault" / "seal.py").write_text(CODE)
    started = server.admin("POST", "/repos", 202, json={"name": "vault", "path": str(root / "vault")})
    assert server.wait_for_job(started["job_id"])["state"] == "succeeded"


def limit(server: Running, people: tuple[str, ...] = ("ada",), groups: tuple[str, ...] = ("keepers",)) -> Any:
    body = {"restricted": True, "people": people, "groups": groups}
    return server.admin("PUT", "/repos/vault/visibility", json=body)


def person(server: Running, name: str, groups: str = "") -> TestClient:
    headers = {"X-Person": name, "X-Groups": groups}
    return TestClient(server.client.app, base_url="http://code.example", client=("10.0.0.1", 1), headers=headers)


@pytest.fixture
def ada(two: Running) -> TestClient:
    return person(two, "ada")


@pytest.fixture
def bo(two: Running) -> TestClient:
    return person(two, "bo", "web")


@pytest.fixture
def answer(ada: TestClient) -> dict[str, Any]:
    """An answer of ada's that quotes the vault."""
    asked = dict(ada.post("/api/answer", json={"question": QUESTION}).json())
    assert "vault" in {source["repo"] for source in asked["sources"]}
    return asked


def vault_chunk(ada: TestClient) -> int:
    found = ada.post("/api/search", json={"query": QUESTION, "repo": "vault"}).json()["results"]
    return int(found[0]["chunk_id"])


def says(response: Any, *known: object) -> tuple[int, str]:
    """Status and body, without request-specific names."""
    text = response.text
    for name in known:
        text = text.replace(str(name), "NAME")
    return response.status_code, text


def test_readers_find_it_and_others_do_not(two: Running, ada: TestClient, bo: TestClient) -> None:
    keeper, admin = person(two, "cy", "web, keepers"), TestClient(two.client.app, headers=ADMIN)
    for reader in (ada, keeper, admin):
        assert {repo["name"] for repo in reader.get("/api/repos").json()} == {"shop", "vault"}
        found = reader.post("/api/search", json={"query": QUESTION, "top_k": 50}).json()["results"]
        assert {one["repo"] for one in found} == {"shop", "vault"}
    assert [repo["name"] for repo in bo.get("/api/repos").json()] == ["shop"]
    for query in (QUESTION, SECRET, "zanzibar", "configuration", "login session"):
        for more in ({}, {"rerank": False}, {"depth": 500}):
            found = bo.post("/api/search", json={"query": query, "top_k": 50, **more}).json()["results"]
            assert found
            assert {one["repo"] for one in found} == {"shop"}


def test_what_is_hidden_takes_no_place_among_the_candidates(two: Running, bo: TestClient) -> None:
    """Filtered before ranking: the list is as long as if the vault were not there, and its ranks have no gaps."""
    everything = bo.post("/api/search", json={"query": "configuration", "top_k": 50}).json()["results"]
    deep = bo.post("/api/search", json={"query": QUESTION, "top_k": len(everything)}).json()["results"]
    assert len(deep) == len(everything)
    assert sorted(one["first_stage_rank"] for one in deep) == list(range(1, len(deep) + 1))


def test_naming_it_is_naming_nothing(bo: TestClient) -> None:
    acts: list[Act] = [
        lambda name: bo.post("/api/search", json={"query": "login", "repo": name}),
        lambda name: bo.post("/api/answer", json={"question": "login", "repo": name}),
        lambda name: bo.post("/api/chat", json={"message": "login", "repo": name}),
        lambda name: bo.post("/api/chat", json={"message": "login", "repo": name, "stream": False}),
    ]
    for act in acts:
        hidden, unknown = act("vault"), act("never-was")
        assert hidden.status_code == 404
        assert says(hidden, "vault") == says(unknown, "never-was")


def test_answers_and_citations_come_from_what_one_may_see(ada: TestClient, bo: TestClient) -> None:
    for path, body in (("answer", {"question": QUESTION}), ("chat", {"message": QUESTION})):
        said = bo.post(f"/api/{path}", json=body).text
        assert SECRET not in said
        assert "seal.py" not in said
        assert "vault" not in said.replace(QUESTION, "").replace("vault seal", ""), said
        assert SECRET in ada.post(f"/api/{path}", json=body).text


def test_somebody_else_s_answer_that_quotes_it_is_not_there(bo: TestClient, answer: dict[str, Any]) -> None:
    id_, chunk = answer["answer_id"], answer["sources"][0]["chunk_id"]
    acts: list[Act] = [
        lambda id_: bo.get(f"/api/answers/{id_}"),
        lambda id_: bo.get(f"/api/answers/{id_}/receipt"),
        lambda id_: bo.put(f"/api/answers/{id_}/rating", json={"thumb": "up"}),
        lambda id_: bo.put(f"/api/answers/{id_}/chunks/{chunk}/rating", json={"relevant": True}),
        lambda id_: bo.put(f"/api/answers/{id_}/correction", json={"chunk_id": chunk}),
        lambda id_: bo.put(f"/api/answers/{id_}/correction", json={"chunk_id": None}),
        lambda id_: bo.post(f"/api/answers/{id_}/events", json={"type": "click", "chunk_id": chunk}),
    ]
    for act in acts:
        hidden, unknown = act(id_), act("0" * 32)
        assert hidden.status_code == 404
        assert says(hidden, id_) == says(unknown, "0" * 32)


def test_its_chunks_can_t_be_named(two: Running, ada: TestClient, bo: TestClient) -> None:
    mine = bo.post("/api/answer", json={"question": "How does login work?"}).json()["answer_id"]
    chunk, nothing = vault_chunk(ada), 987654321
    acts: list[Act] = [
        lambda id_: bo.put(f"/api/answers/{mine}/correction", json={"chunk_id": id_}),
        lambda id_: bo.put(f"/api/answers/{mine}/chunks/{id_}/rating", json={"relevant": True}),
        lambda id_: bo.post(f"/api/answers/{mine}/events", json={"type": "open", "chunk_id": id_}),
    ]
    for act in acts:
        hidden, unknown = act(chunk), act(nothing)
        assert hidden.status_code == 404
        assert says(hidden, chunk) == says(unknown, nothing)
    assert bo.get(f"/api/answers/{mine}/receipt").json()["rating"]["correction"] is None
    assert ada.put(f"/api/answers/{mine}/correction", json={"chunk_id": chunk}).status_code == 200


def test_who_may_see_it_no_more_keeps_their_words_and_loses_its_code(two: Running, ada: TestClient) -> None:
    begun = ada.post("/api/chat", json={"message": QUESTION, "repo": "vault", "stream": False}).json()
    own = ada.post("/api/answer", json={"question": "How does login work?", "repo": "shop"}).json()["answer_id"]
    ada.put(f"/api/answers/{own}/correction", json={"chunk_id": vault_chunk(ada)})
    path = f"/api/conversations/{begun['conversation_id']}"
    assert SECRET in ada.get(path).text
    limit(two, people=())
    try:
        shown = ada.get(path)
        assert shown.status_code == 200
        turn = shown.json()["turns"][0]
        assert (turn["question"], turn["sources"], turn["citations"]) == (QUESTION, [], [])
        assert shown.json()["repo"] is None
        assert SECRET not in shown.text
        assert "seal.py" not in shown.text
        listed = next(one for one in ada.get("/api/conversations").json() if one["id"] == begun["conversation_id"])
        assert listed["repo"] is None
        receipt = ada.get(f"/api/answers/{own}/receipt")
        assert receipt.status_code == 200
        assert "seal.py" not in receipt.text
        assert ada.get(f"/api/answers/{begun['answer_id']}").status_code == 404
        again = {"message": "And then?", "conversation_id": begun["conversation_id"], "repo": None, "stream": False}
        assert SECRET not in ada.post("/api/chat", json=again).text
    finally:
        limit(two)
    assert SECRET in ada.get(path).text


def test_what_a_model_repeats_of_it_in_a_later_answer_is_hidden_too(data: Path, tiny_encoder: Encoder) -> None:
    """The second answer's sources are all of the shop; the model has read the first answer before it wrote it."""
    settings = {"host": "192.0.2.1", "trusted_proxies": "10.0.0.1", "proxy_user_header": "X-Person"}
    with fake_model() as model, running(data, tiny_encoder, llm_base_url=model.url, **settings) as server:
        vault(server, data.parent)
        limit(server)
        ada = person(server, "ada")
        model.says = [f"Call {SECRET} [1]."]
        first = ada.post("/api/chat", json={"message": QUESTION, "repo": "vault", "stream": False}).json()
        talk = {"conversation_id": first["conversation_id"], "repo": "shop", "stream": False}
        model.says = [f"As I said, {SECRET}, and login [1]."]
        second = ada.post("/api/chat", json={"message": "How does login work?", **talk}).json()
        assert {source["repo"] for source in second["sources"]} == {"shop"}
        assert SECRET in json.dumps(model.asked[-1]), "the model was told what it had said"
        path, search = f"/api/conversations/{first['conversation_id']}", {"search": SECRET.upper()}
        assert SECRET in ada.get(f"/api/answers/{second['answer_id']}").text
        assert len(ada.get("/api/conversations", params=search).json()) == 1
        limit(server, people=())
        shown = ada.get(path)
        assert shown.status_code == 200
        assert SECRET not in shown.text
        assert [turn["sources"] for turn in shown.json()["turns"]] == [[], []]
        assert ada.get(f"/api/answers/{second['answer_id']}").status_code == 404
        assert ada.get("/api/conversations", params=search).json() == []
        model.says = ["Yes [1]."]
        assert ada.post("/api/chat", json={"message": "And logout?", **talk}).status_code == 200
        assert SECRET not in json.dumps(model.asked[-1])


def test_who_may_see_it_is_the_administrators_to_say(two: Running, ada: TestClient) -> None:
    path = "/api/admin/repos/vault/visibility"
    assert ada.get(path).status_code == 403
    assert ada.put(path, json={"restricted": False}).status_code == 403
    said = limit(two, people=("zoe", "ada", "ada"), groups=("keepers",))
    assert said == {"restricted": True, "people": ["ada", "zoe"], "groups": ["keepers"]}
    assert two.admin("GET", "/repos/vault/visibility") == said
    two.admin("GET", "/repos/none/visibility", 404)
    two.admin("PUT", "/repos/none/visibility", 404, json={"restricted": True})
    two.admin("PUT", "/repos/vault/visibility", 422, json={"restricted": True, "people": ["x" * 201]})
    two.admin("PUT", "/repos/vault/visibility", 422, json={"people": ["ada"]})
    limit(two)


def test_judgments_and_exports_of_it_are_for_administrators(
    two: Running, ada: TestClient, answer: dict[str, Any]
) -> None:
    for path in ("judgments", "judgments/export", "pairs", "pairs/export", "repos", "golden", "models/compare?a=0&b=1"):
        assert ada.get(f"/api/admin/{path}").status_code == 403
        assert TestClient(two.client.app).get(f"/api/admin/{path}").status_code == 401
    described = json.dumps(TestClient(two.client.app).get("/openapi.json").json())
    assert "vault" not in described
    assert "vault" not in TestClient(two.client.app).get("/metrics").text
    assert "vault" not in TestClient(two.client.app).get("/readyz").text


def test_without_sign_in_a_limited_repository_is_the_administrators_alone(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder) as server:
        server.admin("PUT", "/repos/shop/visibility", json={"restricted": True, "people": ["ada"]})
        as_ada = {"X-Rankloop-User": "ada"}
        assert server.client.get("/api/repos", headers=as_ada).json() == [], "that header proves nothing"
        assert server.search()["results"] == []
        found = server.client.post("/api/search", json={"query": "login"}, headers=ADMIN).json()["results"]
        assert {one["repo"] for one in found} == {"shop"}
