"""Whatever is sent, the answer is a 4xx that says what is wrong, never a 5xx; and the guard at the edge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from server.routes.admin import routers
from tests.integration.server.support import ADMIN, Running

NUL, SURROGATE = "a\0b", "\\ud800"
LONG = "x" * 1_000_000
RATING = "/api/answers/{answer}/rating"

BAD: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/api/search", {"query": ""}, 422, "query"),
    ("POST", "/api/search", {"query": "   "}, 422, "query"),
    ("POST", "/api/search", {}, 422, "query is missing"),
    ("POST", "/api/search", [], 422, ""),
    ("POST", "/api/search", {"query": NUL}, 422, "NUL"),
    ("POST", "/api/search", {"query": LONG}, 422, "query"),
    ("POST", "/api/search", {"query": 7}, 422, "query"),
    ("POST", "/api/search", {"query": "x", "repo": "nope"}, 404, "nope"),
    ("POST", "/api/search", {"query": "x", "repo": NUL}, 422, "NUL"),
    ("POST", "/api/search", {"query": "x", "top_k": 0}, 422, "top_k"),
    ("POST", "/api/search", {"query": "x", "top_k": 10**30}, 422, "top_k"),
    ("POST", "/api/search", {"query": "x", "depth": -1}, 422, "depth"),
    ("POST", "/api/search", {"query": "x", "colour": "red"}, 422, "colour is not a field"),
    ("POST", "/api/answer", {"question": None}, 422, "question"),
    ("POST", "/api/answer", {"question": "x", "repo": "nope"}, 404, "nope"),
    ("POST", "/api/chat", {"message": ""}, 422, "message"),
    ("POST", "/api/chat", {"message": "x", "conversation_id": "nope"}, 404, "nope"),
    ("POST", "/api/chat", {"message": "x", "repo": "nope"}, 404, "nope"),
    ("PUT", RATING, {"stars": 6}, 422, "stars"),
    ("PUT", RATING, {"stars": 0}, 422, "stars"),
    ("PUT", RATING, {"stars": 2.5}, 422, "stars"),
    ("PUT", RATING, {"stars": "5"}, 422, "stars"),
    ("PUT", RATING, {"stars": True}, 422, "stars"),
    ("PUT", RATING, {"thumb": "sideways"}, 422, "thumb"),
    ("PUT", RATING, {"thumb": "up", "stars": 1}, 422, "contradict"),
    ("PUT", RATING, {"note": "n" * 5000}, 422, "note"),
    ("PUT", RATING, {"note": NUL}, 422, "NUL"),
    ("PUT", RATING, {"reasons": "wrong file"}, 422, "reasons"),
    ("PUT", RATING, {"reasons": ["x"] * 50}, 422, "reasons"),
    ("PUT", RATING, {}, 422, "at least one"),
    ("PUT", "/api/answers/{answer}/chunks/999999/rating", {"relevant": True}, 404, "999999"),
    ("PUT", "/api/answers/{answer}/chunks/99999999999999999999/rating", {"relevant": True}, 422, "chunk_id"),
    ("PUT", "/api/answers/{answer}/chunks/-1/rating", {"relevant": True}, 422, "chunk_id"),
    ("PUT", "/api/answers/{answer}/chunks/x/rating", {"relevant": True}, 422, "chunk_id"),
    ("PUT", "/api/answers/{answer}/chunks/1/rating", {"relevant": "yes"}, 422, "relevant"),
    ("PUT", "/api/answers/{answer}/chunks/1/rating", {}, 422, "relevant is missing"),
    ("PUT", "/api/answers/{answer}/correction", {"chunk_id": 999999}, 404, "999999"),
    ("PUT", "/api/answers/{answer}/correction", {"chunk_id": 10**40}, 422, "chunk_id"),
    ("POST", "/api/answers/{answer}/events", {"type": "stare", "chunk_id": 1}, 422, "type"),
    ("POST", "/api/answers/{answer}/events", {"type": "click", "chunk_id": 999999}, 404, "999999"),
    ("GET", "/api/answers/nope", None, 404, "nope"),
    ("GET", "/api/conversations/nope", None, 404, "nope"),
    ("PATCH", "/api/conversations/nope", {"title": "x"}, 404, "nope"),
    ("DELETE", "/api/conversations/nope", None, 404, "nope"),
    ("GET", "/api/conversations?search=%00", None, 422, "NUL"),
    ("GET", "/api/conversations?limit=x", None, 422, "limit"),
    ("POST", "/api/session", {}, 422, "token"),
    ("POST", "/api/session", {"token": "wrong"}, 401, "not valid"),
    ("POST", "/api/session", {"link": "wrong"}, 401, "link"),
    ("POST", "/api/admin/repos", {"name": "x", "path": "/no/such/folder"}, 422, "not a directory"),
    ("POST", "/api/admin/repos", {"name": "x", "path": "relative"}, 422, "absolute"),
    ("POST", "/api/admin/repos", {"name": "x", "path": NUL}, 422, "NUL"),
    ("POST", "/api/admin/repos", {"name": "x", "path": "/" + "a" * 4000}, 422, "can't be read"),
    ("POST", "/api/admin/repos", {"name": "", "path": "/tmp"}, 422, "name"),
    ("POST", "/api/admin/repos/nope/index", None, 404, "nope"),
    ("DELETE", "/api/admin/repos/nope", None, 404, "nope"),
    ("POST", "/api/admin/jobs", {"kind": "dance"}, 422, "kind"),
    ("POST", "/api/admin/jobs", {"kind": "index"}, 422, "repo"),
    ("POST", "/api/admin/jobs", {"kind": "index", "repo": "nope"}, 404, "nope"),
    ("POST", "/api/admin/jobs", {"kind": "nightly", "version": 1}, 422, "version"),
    ("POST", "/api/admin/jobs", {"kind": "evaluate", "version": 999}, 404, "999"),
    ("GET", "/api/admin/jobs/999", None, 404, "999"),
    ("GET", "/api/admin/jobs/999/events", None, 404, "999"),
    ("POST", "/api/admin/jobs/999/cancel", None, 404, "999"),
    ("POST", "/api/admin/jobs/1/cancel", None, 409, "ended"),
    ("GET", "/api/admin/models/999", None, 404, "999"),
    ("GET", "/api/admin/models/compare?a=0&b=999", None, 404, "999"),
    ("POST", "/api/admin/models/999/promote", {"reason": "x"}, 404, "999"),
    ("POST", "/api/admin/models/0/promote", {"reason": "x"}, 409, "already"),
    ("POST", "/api/admin/models/0/promote", {"reason": ""}, 422, "reason"),
    ("POST", "/api/admin/rollback", {"reason": "x"}, 409, "nothing to roll back to"),
    ("POST", "/api/admin/rollback", {"reason": "x", "to": 999}, 404, "999"),
    ("POST", "/api/admin/golden", {"query": "x", "expected": []}, 422, "expected"),
    ("POST", "/api/admin/golden", {"query": "x", "expected": ["a.py"], "repo": "nope"}, 404, "nope"),
    ("DELETE", "/api/admin/golden/999", None, 404, "999"),
    ("PATCH", "/api/admin/judgments/nope", {"action": "veto"}, 404, "nope"),
    ("GET", "/api/admin/judgments?source=magic", None, 422, "source"),
    ("PUT", "/api/admin/schedule", {"cron": "often"}, 422, "five fields"),
    ("PUT", "/api/admin/schedule", {"cron": "0 0 30 2 *"}, 422, "never"),
    ("PUT", "/api/admin/schedule", {"cron": "99 0 * * *"}, 422, "minute"),
    ("GET", "/api/nope", None, 404, "/api/nope"),
    ("POST", "/api/nope", {}, 404, "/api/nope"),
    ("DELETE", "/api/repos", None, 405, "DELETE"),
    ("GET", "/../../etc/passwd", None, 404, ""),
    ("GET", "/%2e%2e/%2e%2e/etc/passwd", None, 404, ""),
    ("GET", "/assets/%00", None, 404, ""),
]


@pytest.fixture(scope="module")
def answer(shop: Running) -> str:
    return str(shop.answer()["answer_id"])


@pytest.mark.parametrize(("method", "path", "body", "status", "says"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_gets_a_clear_4xx(
    shop: Running, answer: str, method: str, path: str, body: Any, status: int, says: str
) -> None:
    headers = ADMIN if "/admin/" in path else {}
    response = shop.client.request(method, path.replace("{answer}", answer), json=body, headers=headers)
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert says in error["message"]
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("raw", "status", "says"),
    [
        (b"{", 400, "not valid JSON"),
        (b"", 422, "missing"),
        (b"\xff\xfe", 400, ""),
        (f'{{"query": "{SURROGATE}"}}'.encode(), 422, "surrogate"),
        (b'{"query": "x", "top_k": NaN}', 422, "top_k"),
        (json.dumps({"query": "x" * (1 << 20)}).encode(), 413, "larger than"),
        (b"[" * 100_000, 400, ""),
    ],
)
def test_bodies_that_are_no_json_or_too_large(shop: Running, raw: bytes, status: int, says: str) -> None:
    response = shop.client.post("/api/search", content=raw, headers={"Content-Type": "application/json"})
    assert response.status_code == status, response.text
    assert says in response.json()["error"]["message"]


def test_a_body_without_a_length_is_limited_too(shop: Running) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    assert shop.client.post("/api/search", content=chunks()).status_code == 413


def admin_calls() -> list[tuple[str, str]]:
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return sorted((method, route.path.replace(":path}", "}")) for route in routes for method in route.methods or ())


@pytest.mark.parametrize(("method", "path"), admin_calls())
def test_every_admin_call_is_guarded(shop: Running, method: str, path: str) -> None:
    described = shop.client.get("/openapi.json").json()["paths"]
    assert method.lower() in described[f"/api/admin{path}"]
    filled = path.replace("{version_id}", "0").replace("{job_id}", "1").replace("{golden_id}", "1")
    filled = "/api/admin" + filled.replace("{judgment_id}", "j").replace("{name}", "shop")
    shop.client.cookies.clear()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer"}, {"X-Rankloop-User": "admin"}):
        response = shop.client.request(method, filled, headers=headers, json={})
        assert response.status_code == 401, (headers, response.text)
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_the_table_of_admin_calls_is_whole(shop: Running) -> None:
    described = shop.client.get("/openapi.json").json()["paths"]
    calls = {
        (method.upper(), path.removeprefix("/api/admin"))
        for path, methods in described.items()
        if path.startswith("/api/admin")
        for method in methods
    }
    assert calls == set(admin_calls())


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, True),
    ],
)
def test_other_sites_cannot_change_anything(shop: Running, headers: dict[str, str], passes: bool) -> None:
    response = shop.client.post("/api/search", json={"query": "x"}, headers=headers)
    assert response.status_code == (200 if passes else 403)
    assert shop.client.get("/api/repos", headers=headers).status_code == 200


def test_every_response_carries_the_security_headers(shop: Running) -> None:
    for path in ("/", "/admin", "/api/repos", "/docs", "/nope", "/metrics"):
        headers = shop.client.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Request-ID"]
    assert shop.client.get("/healthz", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    assert shop.client.get("/healthz", headers={"X-Request-ID": "no good"}).headers["X-Request-ID"] != "no good"


def test_made_up_methods_make_no_series_of_metrics(shop: Running) -> None:
    for name in ("QUAGGA", "X" * 50_000):
        assert shop.client.request(name, "/healthz").status_code in (404, 405)
    told = shop.client.get("/metrics").text
    assert 'method="other"' in told
    assert "QUAGGA" not in told
    assert "XXX" not in told
