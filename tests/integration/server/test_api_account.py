"""Who is who: visitors, sessions, conversations of one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from store import sessions, signals
from tests.integration.server.support import ORIGIN, TOKEN, Running


def fresh(server: Running, address: str = "127.0.0.1") -> TestClient:
    """Another browser, without starting the application again."""
    return TestClient(server.client.app, base_url=ORIGIN, client=(address, 50000))


def test_a_visitor_keeps_a_name(shop: Running) -> None:
    browser = fresh(shop)
    first = browser.get("/api/session").json()
    assert first["actor"].startswith("visitor-")
    assert browser.get("/api/session").json()["actor"] == first["actor"]
    assert fresh(shop).get("/api/session").json()["actor"] != first["actor"]


def test_the_visitors_cookie_is_for_the_server_only(shop: Running) -> None:
    cookie = fresh(shop).get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_streamed_answer_names_a_new_visitor_too(shop: Running) -> None:
    browser = fresh(shop)
    assert "rankloop_actor" in browser.post("/api/chat", json={"message": "login"}).headers["set-cookie"]


def test_a_made_up_cookie_names_nobody(shop: Running) -> None:
    browser = fresh(shop)
    browser.cookies.set("rankloop_actor", "admin")
    assert browser.get("/api/session").json()["actor"].startswith("visitor-")


def test_the_header_names_an_actor_from_this_machine_only(shop: Running) -> None:
    headers = {"X-Rankloop-User": "ada"}
    assert fresh(shop).get("/api/session", headers=headers).json()["actor"] == "ada"
    assert fresh(shop, "203.0.113.9").get("/api/session", headers=headers).json()["actor"] != "ada"
    assert fresh(shop).get("/api/session", headers={"X-Rankloop-User": "x" * 300}).status_code == 422


def test_signing_in_and_out(shop: Running) -> None:
    browser = fresh(shop)
    assert browser.get("/api/admin/overview").status_code == 401
    signed_in = browser.post("/api/session", json={"token": TOKEN})
    assert signed_in.status_code == 200
    cookie = signed_in.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert browser.get("/api/session").json()["role"] == "admin"
    assert browser.get("/api/admin/overview").status_code == 200
    token = browser.cookies["rankloop_session"]
    assert browser.delete("/api/session").status_code == 204
    assert browser.get("/api/admin/overview").status_code == 401
    thief = fresh(shop)
    thief.cookies.set("rankloop_session", token)
    assert thief.get("/api/admin/overview").status_code == 401


def test_signing_in_takes_no_conversation_and_gives_no_second_voice(shop: Running) -> None:
    browser = fresh(shop)
    visitor = browser.get("/api/session").json()["actor"]
    begun = browser.post("/api/chat", json={"message": "How does login work?", "stream": False}).json()
    rating = f"/api/answers/{begun['answer_id']}/rating"
    assert browser.put(rating, json={"thumb": "up"}).status_code == 200
    assert browser.post("/api/session", json={"token": TOKEN}).status_code == 200
    assert browser.get("/api/session").json()["actor"] == visitor
    again = {"message": "And logout?", "conversation_id": begun["conversation_id"], "stream": False}
    assert browser.post("/api/chat", json=again).status_code == 200
    assert browser.get(f"/api/answers/{begun['answer_id']}").json()["rating"]["thumb"] == "up"
    assert browser.put(rating, json={"thumb": "down"}).status_code == 200
    with shop.state.db.read() as tx:
        held = signals.in_force(tx, begun["answer_id"])
    assert [(one.actor, one.value) for one in held] == [(visitor, "down")]
    assert browser.get("/api/admin/overview").status_code == 200


def test_an_administrators_deeds_carry_a_name_and_not_a_cookie(shop: Running) -> None:
    browser = fresh(shop)
    browser.post("/api/session", json={"token": TOKEN})
    browser.get("/api/session")
    for headers, name in (({}, "admin"), ({"X-Rankloop-User": "ada"}, "ada")):
        started = browser.post("/api/admin/jobs", json={"kind": "nightly"}, headers=headers)
        job = started.json()["job_id"]
        assert browser.get(f"/api/admin/jobs/{job}").json()["requested_by"] == name
        browser.post(f"/api/admin/jobs/{job}/cancel")


def test_a_link_signs_in_once(shop: Running) -> None:
    with shop.state.db.write() as tx:
        link = sessions.create(tx, "link", "admin", "admin", timedelta(minutes=5), datetime.now(UTC))
    browser = fresh(shop)
    assert browser.post("/api/session", json={"link": link}).status_code == 200
    assert browser.get("/api/admin/overview").status_code == 200
    assert fresh(shop).post("/api/session", json={"link": link}).status_code == 401


def test_a_signed_in_person_who_is_no_administrator_is_refused(shop: Running) -> None:
    with shop.state.db.write() as tx:
        token = sessions.create(tx, "session", "ada", "user", timedelta(minutes=5), datetime.now(UTC))
    browser = fresh(shop)
    browser.cookies.set("rankloop_session", token)
    assert browser.get("/api/session").json()["actor"] == "ada"
    assert browser.get("/api/admin/overview").status_code == 403


def test_conversations_belong_to_whoever_began_them(shop: Running) -> None:
    mine, other = fresh(shop), fresh(shop)
    begun = mine.post("/api/chat", json={"message": "How does login work?", "stream": False}).json()
    path = f"/api/conversations/{begun['conversation_id']}"
    assert [one["title"] for one in mine.get("/api/conversations").json()] == ["How does login work?"]
    assert other.get("/api/conversations").json() == []
    for method in ("GET", "DELETE"):
        assert other.request(method, path).status_code == 404
    assert other.patch(path, json={"title": "mine now"}).status_code == 404
    assert mine.patch(path, json={"title": "Login"}).json()["title"] == "Login"
    assert [one["title"] for one in mine.get("/api/conversations", params={"search": "LOGIN"}).json()] == ["Login"]
    assert mine.get("/api/conversations", params={"search": "nothing such"}).json() == []
    turn = mine.get(path).json()["turns"][0]
    assert turn["answer"] == begun["answer"]
    assert turn["sources"] == begun["sources"]
    assert mine.delete(path).status_code == 204
    assert mine.get(path).status_code == 404
    assert mine.get(f"/api/answers/{begun['answer_id']}").status_code == 200
