"""Where sign-in is needed, sessions, the proxy's word, roles, and how often one may act."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.limits import Buckets
from server.routes.session import LIFE
from store import sessions
from store.encoder import Encoder
from store.types import Role
from tests.integration.server.support import ADMIN, TOKEN, Running, running

PROXY, ELSEWHERE = "10.1.2.3", "203.0.113.9"
TRUSTING: dict[str, Any] = {
    "host": "192.0.2.1",
    "trusted_proxies": "10.0.0.0/8",
    "proxy_user_header": "X-Person",
    "proxy_groups_header": "X-Groups",
    "roles": "dev=rater, ops=admin, reading=user",
}
ADA = {"X-Person": "ada", "X-Groups": "dev"}
QUESTION = {"question": "How does login work?"}


def browser(server: Running, address: str = ELSEWHERE, **headers: str) -> TestClient:
    return TestClient(server.client.app, base_url="https://code.example", client=(address, 50000), headers=headers)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder) -> Iterator[Running]:
    """A server for other machines, where a proxy signs people in."""
    data = tmp_path_factory.mktemp("guarded") / "data"
    shutil.copytree(prepared, data)
    with running(data, tiny_encoder, **TRUSTING) as server:
        yield server


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder) -> Iterator[Running]:
    """A server for other machines without sign-in for people."""
    data = tmp_path_factory.mktemp("closed") / "data"
    shutil.copytree(prepared, data)
    with running(data, tiny_encoder, host="0.0.0.0") as server:
        yield server


@pytest.fixture
def _held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets never refill, however slow the machine is."""
    plain = Buckets._filled
    monkeypatch.setattr(Buckets, "_filled", lambda self, caller, _: plain(self, caller, 0.0))


def session(server: Running, actor: str, role: str, life: timedelta = timedelta(hours=1), **more: Any) -> str:
    with server.state.db.write() as tx:
        return sessions.create(tx, "session", actor, role, life, datetime.now(UTC), **more)


@pytest.mark.parametrize("address", [ELSEWHERE, "127.0.0.1"])
def test_without_sign_in_nobody_asks_or_rates_where_other_machines_reach(closed: Running, address: str) -> None:
    outside = browser(closed, address, **{"X-Rankloop-User": "ada"})
    for method, path, body in (
        ("POST", "/api/answer", QUESTION),
        ("POST", "/api/search", {"query": "login"}),
        ("POST", "/api/chat", {"message": "login"}),
        ("PUT", "/api/answers/x/rating", {"thumb": "up"}),
        ("GET", "/api/repos", None),
    ):
        refused = outside.request(method, path, json=body)
        assert refused.status_code == 403, path
        assert refused.json()["error"]["code"] == "sign_in_off"
        assert "docs/deploy.md" in refused.json()["error"]["message"]
    said = outside.get("/api/session").json()
    assert (said["may_ask"], said["may_rate"], said["actor"], said["ways"]) == (False, False, "", [])
    assert "set-cookie" not in outside.get("/").headers


def test_the_admin_token_works_there_all_the_same(closed: Running) -> None:
    script = browser(closed, **ADMIN)
    asked = script.post("/api/answer", json=QUESTION).json()
    assert script.put(f"/api/answers/{asked['answer_id']}/rating", json={"thumb": "up"}).status_code == 200
    assert script.get("/api/admin/overview").status_code == 200


def test_a_session_for_other_machines_is_for_https_and_this_host_only(closed: Running) -> None:
    page = browser(closed)
    cookie = page.post("/api/session", json={"token": TOKEN}).headers["set-cookie"]
    assert cookie.startswith("__Host-rankloop_session=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=strict", "path=/", f"max-age={12 * 3600}"} <= parts
    assert not any(part.startswith("domain") for part in parts)
    assert page.get("/api/admin/overview").status_code == 200
    assert page.delete("/api/session").status_code == 204
    assert page.get("/api/admin/overview").status_code == 401


def test_signing_in_ends_the_session_that_was_there(closed: Running) -> None:
    page = browser(closed)
    page.post("/api/session", json={"token": TOKEN})
    first = page.cookies["__Host-rankloop_session"]
    page.post("/api/session", json={"token": TOKEN})
    assert page.cookies["__Host-rankloop_session"] != first
    old = browser(closed, **{"Cookie": f"__Host-rankloop_session={first}"})
    assert old.get("/api/admin/overview").status_code == 401
    assert page.get("/api/admin/overview").status_code == 200


def test_a_session_lasts_twelve_hours(own: Running) -> None:
    assert timedelta(hours=12) == LIFE
    page = TestClient(own.client.app, base_url="http://localhost", client=("127.0.0.1", 50000))
    said = page.post("/api/session", json={"token": TOKEN}).json()
    left = datetime.fromisoformat(said["expires_at"]) - datetime.now(UTC)
    assert LIFE - timedelta(minutes=1) < left <= LIFE
    with own.state.db.read() as tx:
        token = page.cookies["rankloop_session"]
        assert sessions.lookup(tx, token, datetime.now(UTC) + LIFE) is None


def test_the_proxy_s_word_counts_and_nobody_else_s(guarded: Running) -> None:
    said = browser(guarded, PROXY, **ADA).get("/api/session").json()
    assert (said["actor"], said["role"], said["signed_in"], said["ways"]) == ("ada", "rater", True, ["proxy"])
    for address in (ELSEWHERE, "127.0.0.1"):
        said = browser(guarded, address, **ADA, **{"X-Rankloop-User": "ada"}).get("/api/session").json()
        assert (said["actor"], said["role"], said["signed_in"]) == ("", None, False)
        assert browser(guarded, address, **ADA).post("/api/answer", json=QUESTION).status_code == 401


def test_two_names_are_none(guarded: Running) -> None:
    page = browser(guarded, PROXY)
    refused = page.get("/api/session", headers=[("X-Person", "ada"), ("X-Person", "bo")])
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "ambiguous_person"


@pytest.mark.parametrize("name", ["admin", "visitor-" + "0" * 32, "x" * 201, "a\tb"])
def test_names_that_stand_for_something_else_are_refused(guarded: Running, name: str) -> None:
    assert browser(guarded, PROXY, **{"X-Person": name}).get("/api/session").status_code == 422


def test_a_name_may_be_in_any_language(guarded: Running) -> None:
    page = browser(guarded, PROXY)
    said = page.get("/api/session", headers={b"X-Person": "Zoë".encode(), b"X-Groups": b"dev"})
    assert said.json()["actor"] == "Zoë"


def test_roles_include_the_one_before(guarded: Running) -> None:
    person = {group: browser(guarded, PROXY, **{"X-Person": group, "X-Groups": group}) for group in ("reading", "dev")}
    boss = browser(guarded, PROXY, **{"X-Person": "bo", "X-Groups": "dev,ops"})
    none = browser(guarded, PROXY, **{"X-Person": "cy"})
    asked = person["reading"].post("/api/answer", json=QUESTION).json()["answer_id"]
    refused = person["reading"].put(f"/api/answers/{asked}/rating", json={"thumb": "up"})
    assert refused.status_code == 403
    assert "rater" in refused.json()["error"]["message"]
    assert person["dev"].put(f"/api/answers/{asked}/rating", json={"thumb": "up"}).status_code == 200
    assert person["dev"].get("/api/admin/overview").status_code == 403
    assert boss.get("/api/admin/overview").status_code == 200
    started = boss.post("/api/admin/jobs", json={"kind": "nightly"}).json()["job_id"]
    assert boss.get(f"/api/admin/jobs/{started}").json()["requested_by"] == "bo"
    assert none.post("/api/answer", json=QUESTION).status_code == 403
    assert "RANKLOOP_ROLES" in none.post("/api/answer", json=QUESTION).json()["error"]["message"]


def test_the_admin_token_lends_its_role_to_the_person_before_it(guarded: Running) -> None:
    page = browser(guarded, PROXY, **ADA)
    assert page.post("/api/session", json={"token": TOKEN}).status_code == 200
    said = page.get("/api/session").json()
    assert (said["actor"], said["role"], said["person"]) == ("ada", "admin", True)
    assert page.delete("/api/session").status_code == 204
    assert page.get("/api/session").json()["role"] == "rater"


def test_a_session_s_token_serves_scripts_too(guarded: Running) -> None:
    token = session(guarded, "ci", "user")
    script = browser(guarded, **{"Authorization": f"Bearer {token}"})
    assert script.post("/api/answer", json=QUESTION).status_code == 200
    assert script.get("/api/admin/overview").status_code == 403
    with guarded.state.db.write() as tx:
        sessions.revoke(tx, token)
    assert script.post("/api/answer", json=QUESTION).status_code == 401


def test_behind_a_trusted_proxy_addresses_are_the_callers(guarded: Running) -> None:
    asked = browser(guarded, PROXY, **ADA).post("/api/answer", json=QUESTION).json()["answer_id"]
    far = browser(guarded, PROXY, **ADA, **{"X-Forwarded-For": "127.0.0.1, 198.51.100.7"})
    assert far.put(f"/api/answers/{asked}/rating", json={"thumb": "down"}).status_code == 200


def test_too_many_questions_or_ratings_are_refused_for_a_while(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder, **TRUSTING, asks_per_minute=3, ratings_per_minute=2) as server:
        ada, bo = (browser(server, PROXY, **{"X-Person": name, "X-Groups": "dev"}) for name in ("ada", "bo"))
        asked = [ada.post("/api/search", json={"query": "login"}) for _ in range(4)]
        assert [one.status_code for one in asked] == [200, 200, 200, 429]
        assert 1 <= int(asked[-1].headers["Retry-After"]) <= 60 // 3
        assert asked[-1].json()["error"]["code"] == "too_many"
        assert asked[-1].headers["Retry-After"] in asked[-1].json()["error"]["message"]
        path = f"/api/answers/{asked[0].json()['answer_id']}/rating"
        rated = [ada.put(path, json={"stars": stars}).status_code for stars in (3, 4, 5)]
        assert rated == [200, 200, 429]
        assert ada.get(path.replace("rating", "receipt")).json()["rating"]["stars"] == 4
        assert bo.post("/api/search", json={"query": "login"}).status_code == 200, "others are not affected"
        script = browser(server, **ADMIN)
        assert {script.post("/api/search", json={"query": "login"}).status_code for _ in range(5)} == {200}


@pytest.mark.usefixtures("_held")
def test_guessing_the_token_is_slow(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder, host="0.0.0.0") as server:
        guesses = [browser(server).post("/api/session", json={"token": f"guess {n}"}).status_code for n in range(32)]
        assert guesses == [401] * 30 + [429] * 2
        assert browser(server, "198.51.100.7").post("/api/session", json={"token": TOKEN}).status_code == 200


@pytest.mark.usefixtures("_held")
def test_guessing_it_as_a_bearer_is_as_slow(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder, host="0.0.0.0") as server:
        far = browser(server)
        guesses = [far.get("/api/admin/overview", headers={"Authorization": f"Bearer {n}"}) for n in range(32)]
        assert [one.status_code for one in guesses] == [401] * 30 + [429] * 2
        assert guesses[-1].headers["Retry-After"]
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert far.get("/api/admin/overview", headers=right).status_code == 429, "who guesses is not told"
        assert browser(server, "198.51.100.7").get("/api/admin/overview", headers=right).status_code == 200
        assert far.get("/api/session").status_code == 200, "and whoever brings no token is let be"


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("named_by", ["a cookie", "a proxy"])
def test_who_is_signed_in_guesses_no_faster(guarded: Running, named_by: str) -> None:
    if named_by == "a proxy":
        eve = browser(guarded, PROXY, **{"X-Person": "eve", "X-Groups": "dev"})
    else:
        eve = browser(guarded, "198.51.100.9", Cookie=f"__Host-rankloop_session={session(guarded, 'eve', 'rater')}")
    guesses = [eve.get("/api/session", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(32)]
    assert guesses == [200] * 30 + [429] * 2
    assert eve.get("/api/session", headers=ADMIN).status_code == 429, "who guesses is not told"
    same = {"Authorization": "Bearer 7"}
    assert {eve.get("/api/session", headers=same).status_code for _ in range(3)} == {200}, (
        "that one is known to be wrong"
    )
    assert eve.get("/api/repos").status_code == 200, "without a token nothing is guessed"


@pytest.mark.usefixtures("_held")
def test_what_a_proxy_passes_on_for_people_it_names_is_no_guess(guarded: Running) -> None:
    ada = browser(guarded, PROXY, **ADA, Authorization="Bearer of-the-provider")
    assert {ada.get("/api/repos").status_code for _ in range(40)} == {200}


@pytest.mark.usefixtures("_held")
def test_a_receipt_that_searches_counts_as_a_question(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder, asks_per_minute=3) as server:
        far = {"X-Forwarded-For": "203.0.113.9"}
        found = server.client.post("/api/search", json={"query": "login"}, headers=far).json()
        vote = f"/api/answers/{found['answer_id']}/chunks/{found['results'][0]['chunk_id']}/rating"
        assert server.client.put(vote, json={"relevant": True}, headers=far).status_code == 200
        receipt = f"/api/answers/{found['answer_id']}/receipt"
        assert [server.client.get(receipt, headers=far).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.usefixtures("_held")
def test_the_person_at_this_machine_is_not_limited(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder, asks_per_minute=2) as server:
        assert [server.client.post("/api/search", json={"query": "login"}).status_code for _ in range(4)] == [200] * 4
        far = {"X-Forwarded-For": "203.0.113.9"}
        asked = [server.client.post("/api/search", json={"query": "login"}, headers=far) for _ in range(3)]
        assert [one.status_code for one in asked] == [200, 200, 429]


def test_the_local_person_asks_and_rates(own: Running) -> None:
    said = own.client.get("/api/session").json()
    assert (said["role"], said["signed_in"], said["may_ask"], said["may_rate"]) == (Role.RATER, False, True, True)


def test_all_sessions_of_a_person_are_ended_at_once(guarded: Running) -> None:
    name = "team/ada lovelace@example.org"
    mine = [browser(guarded, Cookie=f"__Host-rankloop_session={session(guarded, name, 'rater')}") for _ in range(2)]
    mine.append(browser(guarded, Authorization=f"Bearer {session(guarded, name, 'rater')}"))
    other = browser(guarded, Authorization=f"Bearer {session(guarded, 'team/ada', 'rater')}")
    assert [one.get("/api/repos").status_code for one in (*mine, other)] == [200] * 4
    ended = guarded.admin("DELETE", "/people/team%2Fada%20lovelace%40example.org/sessions")
    assert ended == {"person": name, "ended": 3}
    assert [one.get("/api/repos").status_code for one in (*mine, other)] == [401, 401, 401, 200]
    assert guarded.admin("DELETE", "/people/team/ada lovelace@example.org/sessions")["ended"] == 0


def test_a_proxy_s_groups_may_hold_commas(
    tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder
) -> None:
    data = tmp_path_factory.mktemp("commas") / "data"
    shutil.copytree(prepared, data)
    roles = {"roles": '"CN=ops,OU=code"=admin', "proxy_groups_separator": "|"}
    with running(data, tiny_encoder, **TRUSTING | roles) as server:
        page = browser(server, PROXY, **{"X-Person": "bo", "X-Groups": "CN=dev,OU=code | CN=ops,OU=code"})
        assert page.get("/api/session").json()["role"] == "admin"
        page.headers["X-Groups"] = "CN=ops|OU=code"
        assert page.get("/api/session").json()["role"] is None


@pytest.mark.usefixtures("_held")
def test_one_network_s_addresses_are_one_caller(data: Path, tiny_encoder: Encoder) -> None:
    with running(data, tiny_encoder, host="0.0.0.0") as server:

        def guess(address: str) -> int:
            return browser(server, address).post("/api/session", json={"token": "guess"}).status_code

        assert [guess(f"2001:db8:1:2::{n:x}") for n in range(32)] == [401] * 30 + [429] * 2
        assert guess("2001:db8:1:3::1") == 401
