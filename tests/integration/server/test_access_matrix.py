"""Every route of the application, whoever calls it: access is as this table says, and a route missing in it fails."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import Host

from server.app import create_app
from server.guard import CHANGING
from server.limits import Buckets
from store import sessions
from store.encoder import Encoder
from store.settings import Settings
from tests.integration.server.support import ADMIN, Running, running

PUBLIC, USER, RATER, ADMINS = "everybody", "user", "rater", "admin"
TABLE = {
    "GET /openapi.json": PUBLIC,
    "HEAD /openapi.json": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /docs.css": PUBLIC,
    "GET /": PUBLIC,
    "GET /admin": PUBLIC,
    "GET /admin/{_rest:path}": PUBLIC,
    "GET /{file:path}": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /api/session": PUBLIC,
    "POST /api/session": PUBLIC,
    "DELETE /api/session": PUBLIC,
    "GET /api/session/oidc": PUBLIC,
    "GET /api/session/oidc/callback": PUBLIC,
    "GET /api/repos": USER,
    "POST /api/search": USER,
    "POST /api/answer": USER,
    "POST /api/chat": USER,
    "GET /api/answers/{answer_id}": USER,
    "GET /api/answers/{answer_id}/receipt": USER,
    "GET /api/conversations": USER,
    "GET /api/conversations/{conversation_id}": USER,
    "PATCH /api/conversations/{conversation_id}": USER,
    "DELETE /api/conversations/{conversation_id}": USER,
    "PUT /api/answers/{answer_id}/rating": RATER,
    "PUT /api/answers/{answer_id}/chunks/{chunk_id}/rating": RATER,
    "PUT /api/answers/{answer_id}/correction": RATER,
    "POST /api/answers/{answer_id}/events": RATER,
    "GET /api/admin/overview": ADMINS,
    "GET /api/admin/models": ADMINS,
    "GET /api/admin/models/compare": ADMINS,
    "GET /api/admin/models/{version_id}": ADMINS,
    "POST /api/admin/models/{version_id}/promote": ADMINS,
    "POST /api/admin/rollback": ADMINS,
    "GET /api/admin/deployments": ADMINS,
    "POST /api/admin/jobs": ADMINS,
    "GET /api/admin/jobs": ADMINS,
    "GET /api/admin/jobs/{job_id}": ADMINS,
    "GET /api/admin/jobs/{job_id}/events": ADMINS,
    "POST /api/admin/jobs/{job_id}/cancel": ADMINS,
    "GET /api/admin/repos": ADMINS,
    "POST /api/admin/repos": ADMINS,
    "POST /api/admin/repos/{name:path}/index": ADMINS,
    "GET /api/admin/repos/{name:path}/visibility": ADMINS,
    "PUT /api/admin/repos/{name:path}/visibility": ADMINS,
    "DELETE /api/admin/repos/{name:path}": ADMINS,
    "GET /api/admin/golden": ADMINS,
    "POST /api/admin/golden": ADMINS,
    "DELETE /api/admin/golden/{golden_id}": ADMINS,
    "GET /api/admin/judgments": ADMINS,
    "GET /api/admin/judgments/actors": ADMINS,
    "GET /api/admin/judgments/export": ADMINS,
    "PATCH /api/admin/judgments/{judgment_id}": ADMINS,
    "GET /api/admin/data-sets": ADMINS,
    "GET /api/admin/pairs": ADMINS,
    "GET /api/admin/pairs/export": ADMINS,
    "DELETE /api/admin/people/{person:path}/sessions": ADMINS,
    "GET /api/admin/quarantine": ADMINS,
    "POST /api/admin/quarantine": ADMINS,
    "GET /api/admin/schedule": ADMINS,
    "PUT /api/admin/schedule": ADMINS,
}
UNGUARDED: dict[str, str] = {}
"""Routes that are no calls (a mounted application, a web socket), as ``Mount /path`` → why nobody has to be guarded
from it. There are none: what needs no call is given by one of the routes above."""
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/search": {"query": "login"},
    "POST /api/answer": {"question": "login"},
    "POST /api/chat": {"message": "login", "stream": False},
    "POST /api/session": {"token": "wrong"},
    "PATCH /api/conversations/{conversation_id}": {"title": "x"},
    "PUT /api/answers/{answer_id}/rating": {"thumb": "up"},
    "PUT /api/answers/{answer_id}/chunks/{chunk_id}/rating": {"relevant": True},
    "PUT /api/answers/{answer_id}/correction": {"chunk_id": 1},
    "POST /api/answers/{answer_id}/events": {"type": "click", "chunk_id": 1},
}
"""Bodies that pass the schema. A call that is let in and then finds nothing, or dislikes the body, is let in."""
ORDER = (PUBLIC, USER, RATER, ADMINS)
REFUSED = (401, 403)


@dataclass(frozen=True)
class Credentials:
    """What a caller sends, and how far it should bring them."""

    headers: dict[str, str]
    role: str = PUBLIC
    status: int = 401
    """Of a refusal: 401 where nobody is known, 403 where somebody is who may not."""


def routes(app: FastAPI) -> set[str]:
    """Each method of each route; one without methods as its kind and path."""
    found: set[str] = set()
    for context in iter_route_contexts(app.routes):
        kinds = context.methods or [type(context.original_route).__name__]
        found |= {f"{kind} {context.path}" for kind in kinds}
    return found


def test_every_route_is_in_the_table() -> None:
    assert routes(create_app(Settings())) == set(TABLE) | set(UNGUARDED)


def test_mounts_and_web_sockets_are_routes_too() -> None:
    app = FastAPI(openapi_url=None)
    app.mount("/files", FastAPI())
    app.add_api_websocket_route("/live", lambda: None)
    inner = APIRouter()
    inner.add_api_websocket_route("/inner", lambda: None)
    app.include_router(inner)
    app.routes.append(Host("files.example", FastAPI()))
    assert routes(app) == {"Mount /files", "APIWebSocketRoute /live", "APIWebSocketRoute /inner", "Host None"}


def test_every_call_that_changes_something_has_a_method_that_is_guarded() -> None:
    assert {route.split()[0] for route in TABLE} <= CHANGING | {"GET", "HEAD"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder) -> Iterator[Running]:
    """A server that other machines reach, with sign-in."""
    data = tmp_path_factory.mktemp("matrix") / "data"
    shutil.copytree(prepared, data)
    settings = {"trusted_proxies": "10.0.0.1", "proxy_user_header": "X-Person", "proxy_groups_header": "X-Groups"}
    with (
        pytest.MonkeyPatch.context() as unlimited,
        running(
            data, tiny_encoder, host="192.0.2.1", roles="u=user,r=rater,a=admin", asks_per_minute=0, **settings
        ) as server,
    ):
        unlimited.setattr(server.state.limits, "signing_in", Buckets(0))  # each of thousands comes from one address
        yield server


@pytest.fixture
def credentials(site: Running) -> dict[str, Credentials]:
    """Made anew for each route: one of them signs out."""
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    token: dict[str, str] = {}
    with site.state.db.write() as tx:
        for role in (USER, RATER, ADMINS):
            token[role] = sessions.create(tx, "session", f"{role} ann", role, hour, now)
        for role in ("revoked", "link"):
            token[role] = sessions.create(tx, "link" if role == "link" else "session", "cy", ADMINS, hour, now)
        sessions.revoke(tx, token["revoked"])
        # Last: a session that has ended is cleared away when the next one is made.
        token["expired"] = sessions.create(tx, "session", "bo", ADMINS, hour, now - hour)
    made = {
        "nothing": Credentials({}),
        "an empty token": Credentials({"Authorization": "Bearer "}),
        "a wrong token": Credentials({"Authorization": "Bearer wrong"}),
        "another scheme": Credentials({"Authorization": ADMIN["Authorization"].replace("Bearer", "Basic")}),
        "the admin token": Credentials(ADMIN, ADMINS),
        "a stranger's header": Credentials({"X-Person": "eve", "X-Groups": "a", "X-Rankloop-User": "eve"}),
    }
    for name, value in token.items():
        known = name in ORDER
        role, status = (name, 403) if known else (PUBLIC, 401)
        what = f"a session of {name}" if known else f"a session that is {name}"
        made[what] = Credentials({"Cookie": f"__Host-rankloop_session={value}"}, role, status)
        made[f"{what}, by token"] = Credentials({"Authorization": f"Bearer {value}"}, role, status)
        made[f"{what}, under the plain name"] = Credentials({"Cookie": f"rankloop_session={value}"})
    return made


def call(server: Running, route: str, headers: dict[str, str], address: str = "203.0.113.9") -> Any:
    method, path = route.split(" ", 1)
    path = re.sub(r"\{(\w+)(:path)?\}", lambda found: "999999" if found[1].endswith("_id") else "no-such", path)
    client = TestClient(server.client.app, base_url="https://code.example", client=(address, 1), follow_redirects=False)
    return client.request(method, path, headers=headers, json=BODIES.get(route, {}) if method in CHANGING else None)


@pytest.mark.parametrize("route", sorted(TABLE))
def test_who_may_call(site: Running, credentials: dict[str, Credentials], route: str) -> None:
    needed = TABLE[route]
    for name, given in credentials.items():
        answer = call(site, route, given.headers)
        status = answer.status_code
        assert status < 500, (name, answer.text)
        if ORDER.index(given.role) >= ORDER.index(needed):
            let_in = status not in REFUSED or route == "POST /api/session"
            assert let_in, f"{name} was refused: {answer.text}"
        else:
            assert status == given.status, f"{name} got {status}: {answer.text[:200]}"
            assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("route", sorted(route for route in TABLE if route.split()[0] in CHANGING))
def test_no_other_site_changes_anything(site: Running, credentials: dict[str, Credentials], route: str) -> None:
    best = credentials["a session of admin"].headers
    for foreign in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://code.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://code.example.evil.example"},
        {"Origin": "https://code.example:444"},
        {"Origin": "http://code.example"},
        {"Origin": "null"},
    ):
        answer = call(site, route, best | foreign)
        assert answer.status_code == 403, (foreign, answer.text)
        assert answer.json()["error"]["code"] == "cross_site"
    for own in (
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://code.example"},
        {"Origin": "https://code.example"},
    ):
        answer = call(site, route, ADMIN | own)
        assert "cross_site" not in answer.text


@pytest.mark.parametrize("route", sorted(TABLE))
def test_who_may_call_where_nobody_can_sign_in(closed: Running, route: str) -> None:
    status = call(closed, route, {}, "127.0.0.1").status_code
    expected = {USER: 403, RATER: 403, ADMINS: 401}.get(TABLE[route])
    assert status == expected if expected else status not in REFUSED or route == "POST /api/session"
    assert call(closed, route, ADMIN).status_code not in REFUSED or route == "POST /api/session"


@pytest.mark.parametrize("route", sorted(TABLE))
def test_the_local_person_may_do_all_but_administer(shop: Running, route: str) -> None:
    client = TestClient(shop.client.app, base_url="http://localhost", client=("127.0.0.1", 1), follow_redirects=False)
    method, path = route.split(" ", 1)
    path = re.sub(r"\{(\w+)(:path)?\}", lambda found: "999999" if found[1].endswith("_id") else "no-such", path)
    status = client.request(method, path, json=BODIES.get(route, {}) if method in CHANGING else None).status_code
    if TABLE[route] == ADMINS:
        assert status == 401
    else:
        assert status not in REFUSED or route == "POST /api/session"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder) -> Iterator[Running]:
    """A server that other machines reach, without sign-in for people."""
    data = tmp_path_factory.mktemp("closed-matrix") / "data"
    shutil.copytree(prepared, data)
    with pytest.MonkeyPatch.context() as unlimited, running(data, tiny_encoder, host="0.0.0.0") as server:
        unlimited.setattr(server.state.limits, "signing_in", Buckets(0))
        yield server
