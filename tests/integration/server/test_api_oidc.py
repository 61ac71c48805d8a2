"""Sign-in through OpenID Connect, against a real provider on loopback; every forged or foreign token is refused."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

import server.oidc
from server.limits import Buckets
from server.oidc import Provider as Oidc
from server.oidc import new_secret
from server.problems import SignInNeeded
from store.encoder import Encoder
from store.errors import Unavailable
from store.settings import Settings
from tests.integration.server.support import Running, running
from tests.oidc_provider import CLIENT, NEW_KEY, OTHER_KEY, SECRET, VERIFIED, Provider, provider

BACK = "/api/session/oidc/callback"
ORIGIN = "https://code.example"
ADDRESSES = count(1)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with provider() as this:
        yield this


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder, issuer: Provider
) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("oidc") / "data"
    shutil.copytree(prepared, data)
    settings = {"oidc_client_id": CLIENT, "oidc_client_secret": SecretStr(SECRET), "roles": "dev=rater, ops=admin"}
    with running(
        data, tiny_encoder, host="192.0.2.1", public_url=ORIGIN, oidc_url=issuer.discovery, **settings
    ) as server:
        yield server


@pytest.fixture(autouse=True)
def behaving(issuer: Provider) -> None:
    """The provider as it should be, whatever the test before made of it."""
    fresh = Provider()
    for name in ("claims", "changed", "userinfo", "signed_by", "published", "algorithm"):
        setattr(issuer, name, getattr(fresh, name))


@pytest.fixture
def page(site: Running) -> TestClient:
    address = f"203.0.113.{next(ADDRESSES)}"  # an address of its own: attempts to sign in are limited by address
    return TestClient(site.client.app, base_url=ORIGIN, client=(address, 1), follow_redirects=False)


def begin(page: TestClient, to: str = "chat") -> str:
    """Out to the provider."""
    out = page.get("/api/session/oidc", params={"to": to})
    assert out.status_code == 303, out.text
    return str(out.headers["location"])


def come_back(page: TestClient, issuer: Provider, **changed: str) -> Any:
    """Say yes there and come back."""
    back = urlsplit(issuer.authorize(dict(parse_qsl(urlsplit(begin(page)).query))))
    assert f"{back.scheme}://{back.netloc}{back.path}" == ORIGIN + BACK
    return page.get(BACK, params=dict(parse_qsl(back.query)) | changed)


def refused(page: TestClient, answer: Any, status: int = 401) -> str:
    """What a refusal says; nobody is signed in by it."""
    assert answer.status_code == status, answer.text
    assert "__Host-rankloop_session" not in page.cookies
    assert page.get("/api/session").json()["signed_in"] is False
    return str(answer.text)


def test_somebody_signs_in_asks_rates_and_signs_out(page: TestClient, issuer: Provider) -> None:
    assert page.post("/api/answer", json={"question": "How does login work?"}).status_code == 401
    assert page.get("/api/session").json()["ways"] == ["oidc"]
    answer = come_back(page, issuer)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "rankloop_session" in one).lower()
    for part in ("__host-", "httponly", "secure", "samesite=strict", "path=/"):
        assert part in cookie
    said = page.get("/api/session").json()
    assert (said["actor"], said["role"], said["person"]) == ("ada@example.org", "rater", True)
    asked = page.post("/api/answer", json={"question": "How does login work?"}).json()["answer_id"]
    assert page.put(f"/api/answers/{asked}/rating", json={"thumb": "up"}).status_code == 200
    assert page.get("/api/admin/overview").status_code == 403
    token = page.cookies["__Host-rankloop_session"]
    assert page.delete("/api/session").status_code == 204
    page.cookies.set("__Host-rankloop_session", token)
    assert page.get("/api/session").json()["signed_in"] is False, "revoked, not only forgotten"


def test_the_request_carries_everything_that_binds_the_answer_to_it(page: TestClient, issuer: Provider) -> None:
    first, second = (dict(parse_qsl(urlsplit(begin(page)).query)) for _ in range(2))
    assert first["redirect_uri"] == ORIGIN + BACK
    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43, "256 bits"
        assert first[name] != second[name]
    assert len({first["state"], first["nonce"], first["code_challenge"]}) == 3
    secret = page.cookies["__Host-rankloop_login"]
    assert not any(secret.partition(".")[2] in value for value in second.values())


def test_groups_give_the_role_and_the_way_back_the_page(page: TestClient, issuer: Provider) -> None:
    issuer.claims = {"sub": "2", "email": "bo@example.org", "email_verified": "true", "groups": ["web", "ops"]}
    query = dict(parse_qsl(urlsplit(begin(page, "admin")).query))
    answer = page.get(BACK, params=dict(parse_qsl(urlsplit(issuer.authorize(query)).query)))
    assert answer.headers["location"] == "/admin"
    assert page.get("/api/admin/overview").status_code == 200


def test_a_person_without_a_role_stays_outside(page: TestClient, issuer: Provider) -> None:
    issuer.claims = {"sub": "3", **VERIFIED}
    assert "RANKLOOP_ROLES" in refused(page, come_back(page, issuer), 403)


def test_the_session_that_was_there_ends(page: TestClient, issuer: Provider) -> None:
    come_back(page, issuer)
    first = page.cookies["__Host-rankloop_session"]
    come_back(page, issuer)
    assert page.cookies["__Host-rankloop_session"] != first
    page.cookies.clear()
    page.cookies.set("__Host-rankloop_session", first)
    assert page.get("/api/session").json()["signed_in"] is False


NOW = int(time.time())


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"exp": NOW - 3600},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"nbf": NOW + 3600},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": [CLIENT, "another"]},
        {"aud": None},
        {"azp": "another"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"at_hash": "wrong"},
    ],
    ids=lambda changed: re.sub(r"\d{9,}", "NOW", str(changed)),  # the same in every worker
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(
    page: TestClient, issuer: Provider, changed: dict[str, Any]
) -> None:
    issuer.changed = changed
    assert "could not be verified" in refused(page, come_back(page, issuer))


def test_a_token_that_somebody_else_signed_is_refused(page: TestClient, issuer: Provider) -> None:
    issuer.signed_by = OTHER_KEY
    assert "could not be verified" in refused(page, come_back(page, issuer))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_anybody_can_sign_is_refused(page: TestClient, issuer: Provider, algorithm: str) -> None:
    issuer.algorithm = algorithm
    assert "could not be verified" in refused(page, come_back(page, issuer))


def test_new_keys_of_the_provider_are_fetched(page: TestClient, issuer: Provider) -> None:
    come_back(page, issuer)
    issuer.signed_by = issuer.published = NEW_KEY
    assert come_back(page, issuer).status_code == 303
    issuer.published = OTHER_KEY
    page.cookies.clear()
    assert come_back(page, issuer).status_code == 303, "the key is known by now"


def test_an_answer_to_another_attempt_is_refused_before_anything_is_asked(
    site: Running, page: TestClient, issuer: Provider
) -> None:
    before = issuer.exchanges
    assert "did not begin in this browser" in refused(page, come_back(page, issuer, state="another"))
    assert "did not begin in this browser" in refused(page, page.get(BACK, params={"code": "x", "state": ""}))
    victim = TestClient(site.client.app, base_url=ORIGIN, follow_redirects=False)
    mine = issuer.authorize(dict(parse_qsl(urlsplit(begin(page)).query)))
    assert "did not begin in this browser" in refused(victim, victim.get(mine.removeprefix(ORIGIN)))
    begin(victim)
    assert "did not begin in this browser" in refused(victim, victim.get(mine.removeprefix(ORIGIN)))
    assert issuer.exchanges == before


def test_an_answer_from_another_provider_is_refused(page: TestClient, issuer: Provider) -> None:
    assert "another sign-in provider" in refused(page, come_back(page, issuer, iss="https://evil.example"))


def test_a_code_is_good_once_and_for_its_own_attempt(page: TestClient, issuer: Provider) -> None:
    query = dict(parse_qsl(urlsplit(begin(page)).query))
    stolen = dict(parse_qsl(urlsplit(issuer.authorize(query)).query))["code"]
    own = dict(parse_qsl(urlsplit(begin(page)).query))["state"]
    assert "invalid_grant" in refused(page, page.get(BACK, params={"code": stolen, "state": own}))
    assert "invalid_grant" in refused(page, come_back(page, issuer, code="made up"))


def test_what_the_provider_says_is_never_markup(page: TestClient, issuer: Provider) -> None:
    state = dict(parse_qsl(urlsplit(begin(page)).query))["state"]
    answer = page.get(BACK, params={"state": state, "error": "<script>alert(1)</script>"})
    assert "&lt;script&gt;" in refused(page, answer)
    assert "<script" not in answer.text


def test_an_unverified_address_and_a_reserved_name_name_nobody(page: TestClient, issuer: Provider) -> None:
    for said in (False, "false", None, "True", 1, [True]):
        issuer.claims = {"sub": "4", "email": "ada@example.org", "email_verified": said, "groups": ["dev"]}
        assert "not verified your e-mail" in refused(page, come_back(page, issuer))
    issuer.claims = {"sub": "4", "email": "admin", "email_verified": True, "groups": ["ops"]}
    assert "another name" in refused(page, come_back(page, issuer))
    issuer.claims = {"sub": "4", "groups": ["ops"]}
    assert "RANKLOOP_OIDC_NAME_CLAIM" in refused(page, come_back(page, issuer))


def test_claims_that_the_token_lacks_come_from_userinfo_of_the_same_person(page: TestClient, issuer: Provider) -> None:
    issuer.claims = {"sub": "5"}
    issuer.userinfo = {"sub": "5", "email": "eve@example.org", "email_verified": True, "groups": ["dev"]}
    assert come_back(page, issuer).status_code == 303
    assert page.get("/api/session").json()["actor"] == "eve@example.org"
    page.delete("/api/session")
    issuer.userinfo = {"sub": "6", "email": "ada@example.org", "groups": ["ops"]}
    assert "could not be verified" in refused(page, come_back(page, issuer))


def test_who_is_verified_may_stand_in_userinfo_alone(page: TestClient, issuer: Provider) -> None:
    issuer.claims = {"sub": "5", "email": "eve@example.org", "groups": ["dev"]}
    issuer.userinfo = {"sub": "5", "email_verified": True}
    assert come_back(page, issuer).status_code == 303


@pytest.mark.parametrize(("said", "name"), [(None, "ada@example.org"), (True, "ada@example.org"), (False, None)])
def test_a_provider_that_says_nothing_of_addresses_can_be_believed_by_setting(
    said: bool | None, name: str | None
) -> None:
    with provider() as silent:
        silent.claims = {"sub": "1", "email": "ada@example.org", "email_verified": said}
        secret = SecretStr(SECRET)
        settings = Settings(
            oidc_url=silent.discovery,
            oidc_client_id=CLIENT,
            oidc_client_secret=secret,
            oidc_require_email_verified=False,
        )
        oidc, attempt = Oidc(settings), new_secret()
        query = dict(parse_qsl(urlsplit(oidc.begin(attempt, time.time())).query))
        back = dict(parse_qsl(urlsplit(silent.authorize(query)).query))
        if name is None:
            with pytest.raises(SignInNeeded, match="not verified"):
                oidc.finish(attempt, back, time.time())
        else:
            assert oidc.finish(attempt, back, time.time()).name == name


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ({"issuer": "https://evil.example"}, "another provider"),
        ({"token_endpoint": "http://id.example/token"}, "not https"),
        ({"jwks_uri": None}, "lacks jwks_uri"),
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(described: dict[str, Any], reason: str) -> None:
    with provider() as wrong:
        wrong.described = described
        settings = Settings(oidc_url=wrong.discovery, oidc_client_id=CLIENT)
        with pytest.raises(Unavailable, match=reason):
            Oidc(settings).begin(new_secret(), NOW)


def test_a_provider_that_is_not_there_says_so() -> None:
    with provider() as gone:
        settings = Settings(oidc_url=gone.discovery, oidc_client_id=CLIENT)
    with pytest.raises(Unavailable, match="does not answer"):
        Oidc(settings).begin(new_secret(), NOW)


def test_a_failure_of_the_provider_is_remembered_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider() as one:
        one.described = {"jwks_uri": None}
        oidc = Oidc(Settings(oidc_url=one.discovery, oidc_client_id=CLIENT))
        with pytest.raises(Unavailable, match="lacks jwks_uri"):
            oidc.begin(new_secret(), NOW)
        one.described = {}
        with pytest.raises(Unavailable, match="lacks jwks_uri"):
            oidc.begin(new_secret(), NOW)
        monkeypatch.setattr(server.oidc, "FAILURE_LIFE_S", 0.0)
        assert urlsplit(oidc.begin(new_secret(), NOW)).path == "/authorize"


def test_a_provider_that_hangs_holds_one_sign_in_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many that begin together none waits longer than the first, and later ones not while another one asks."""
    monkeypatch.setattr(server.oidc, "TIMEOUT_S", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/.well-known/openid-configuration"
        oidc = Oidc(Settings(oidc_url=address, oidc_client_id=CLIENT))

        def begins(_: int) -> float:
            started = time.monotonic()
            with pytest.raises(Unavailable, match="does not answer"):
                oidc.begin(new_secret(), NOW)
            return time.monotonic() - started

        with ThreadPoolExecutor(20) as many:
            assert max(many.map(begins, range(20))) < 5 * 3.0, "in turn they would take 60 s"
            monkeypatch.setattr(server.oidc, "FAILURE_LIFE_S", 0.0)
            waited = sorted(many.map(begins, range(20)))
        assert waited[10] < 1.0, "most are told at once"


def test_beginning_without_end_is_refused_for_a_while(
    page: TestClient, issuer: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Buckets._filled
    monkeypatch.setattr(Buckets, "_filled", lambda self, caller, _: plain(self, caller, 0.0))
    begun = [page.get("/api/session/oidc") for _ in range(32)]
    assert [one.status_code for one in begun] == [303] * 30 + [429] * 2
    assert begun[-1].headers["Retry-After"]
    ended = page.get(BACK, params={"code": "x", "state": "another"})
    assert ended.status_code == 401, "coming back has a count of its own"


def test_what_a_provider_says_of_itself_is_asked_again_after_an_hour() -> None:
    with provider() as one:
        oidc = Oidc(Settings(oidc_url=one.discovery, oidc_client_id=CLIENT))
        before = oidc.begin(new_secret(), NOW)
        one.described = {"authorization_endpoint": f"{one.url}/elsewhere"}
        assert urlsplit(oidc.begin(new_secret(), NOW + 3599)).path == urlsplit(before).path == "/authorize"
        assert urlsplit(oidc.begin(new_secret(), NOW + 3600)).path == "/elsewhere"


def test_without_a_provider_there_is_nothing_to_begin(shop: Running) -> None:
    assert shop.client.get("/api/session/oidc", follow_redirects=False).status_code == 404
    assert shop.client.get(BACK).status_code == 404
