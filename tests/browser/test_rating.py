"""Rating: one click saves, a second takes back, and nothing that was given is lost."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Complaints
from tests.browser.site import Site
from tests.browser.steps import QUESTION, ask, recorded, sources, taken_back


def pressed(button: Locator, on: bool) -> None:
    expect(button).to_have_attribute("aria-pressed", "true" if on else "false")


def place(card: Locator) -> str:
    """Of a source: "Source 1: store/cron.py:1–20" without its beginning."""
    return str(card.get_attribute("aria-label")).partition(": ")[2]


def held(page: Page, site: Site) -> dict[str, object]:
    """What the server holds of this visitor's rating of the last answer."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    conversation = page.url.partition("c=")[2]
    detail = httpx.get(f"{site.url}/api/conversations/{conversation}", cookies=cookies, timeout=30).json()
    rating: dict[str, object] = detail["turns"][-1]["rating"]
    return rating


def test_a_thumb_saves_at_once_and_a_second_click_takes_it_back(chat: Page, site: Site) -> None:
    turn = ask(chat, QUESTION)
    up = turn.get_by_role("button", name="Good answer")
    up.click()
    recorded(turn)
    pressed(up, True)
    assert held(chat, site)["thumb"] == "up"
    up.click()
    pressed(up, False)
    taken_back(turn)
    assert held(chat, site)["thumb"] is None


def test_taking_the_thumb_back_takes_back_all_that_was_said_with_it(chat: Page, site: Site) -> None:
    turn = ask(chat, QUESTION)
    down = turn.get_by_role("button", name="Bad answer")
    down.click()
    turn.get_by_role("button", name="2 stars").click()
    turn.get_by_role("button", name="wrong file").click()
    note = turn.get_by_label("What was missing?")
    note.fill("the day of the week")
    chat.keyboard.press("Tab")
    recorded(turn)
    note.fill("typed, and not saved yet")
    down.click()
    pressed(down, False)
    expect(turn.get_by_role("group", name="Stars")).to_be_hidden()
    expect(note).to_be_hidden()
    taken_back(turn)
    rating = held(chat, site)
    assert (rating["thumb"], rating["stars"], rating["reasons"], rating["note"]) == (None, None, [], None)
    down.click()
    recorded(turn)
    expect(turn.get_by_role("button", name="2 stars")).to_have_attribute("aria-pressed", "false")
    expect(turn.get_by_role("button", name="wrong file")).to_have_attribute("aria-pressed", "false")
    expect(turn.get_by_label("What was missing?")).to_have_value("")
    assert held(chat, site)["thumb"] == "down"


def test_a_flip_clears_stars_and_reasons(chat: Page, site: Site) -> None:
    turn = ask(chat, QUESTION)
    turn.get_by_role("button", name="Bad answer").click()
    turn.get_by_role("button", name="2 stars").click()
    turn.get_by_role("button", name="wrong file").click()
    recorded(turn)
    assert held(chat, site)["reasons"] == ["wrong file"]
    turn.get_by_role("button", name="Good answer").click()
    recorded(turn)
    pressed(turn.get_by_role("button", name="Bad answer"), False)
    pressed(turn.get_by_role("button", name="2 stars"), False)
    rating = held(chat, site)
    assert (rating["thumb"], rating["stars"], rating["reasons"]) == ("up", None, [])


def test_stars_that_contradict_the_thumb_move_it(chat: Page, site: Site) -> None:
    turn = ask(chat, QUESTION)
    turn.get_by_role("button", name="Good answer").click()
    turn.get_by_role("button", name="1 star", exact=True).click()
    recorded(turn)
    pressed(turn.get_by_role("button", name="Bad answer"), True)
    rating = held(chat, site)
    assert (rating["thumb"], rating["stars"]) == ("down", 1)


def test_a_note_is_saved_and_still_there_after_a_reload(chat: Page, site: Site) -> None:
    turn = ask(chat, QUESTION)
    turn.get_by_role("button", name="Bad answer").click()
    turn.get_by_label("What was missing?").fill("the day of the week")
    chat.keyboard.press("Tab")
    recorded(turn)
    assert held(chat, site)["note"] == "the day of the week"
    chat.reload()
    expect(chat.get_by_label("What was missing?")).to_have_value("the day of the week")


def test_a_source_can_be_voted_on(chat: Page, site: Site) -> None:
    turn = ask(chat, QUESTION)
    source = sources(turn).first
    chunk = str(source.get_attribute("data-chunk"))
    right = source.get_by_role("button", name="Source 1 is right")
    wrong = source.get_by_role("button", name="Source 1 is not right")
    right.click()
    recorded(turn)
    assert held(chat, site)["chunks"] == {chunk: True}
    wrong.click()
    pressed(right, False)
    recorded(turn)
    assert held(chat, site)["chunks"] == {chunk: False}
    wrong.click()
    taken_back(turn)
    assert held(chat, site)["chunks"] == {}


def test_the_right_place_can_be_found_and_taken_back(chat: Page, site: Site) -> None:
    turn = ask(chat, QUESTION)
    turn.get_by_role("button", name="The right place was…").click()
    dialog = chat.get_by_role("dialog", name="The right place was…")
    dialog.get_by_role("searchbox").fill("cross site origin header")
    choice = dialog.get_by_role("button", name=re.compile(r"^Choose server.guard\.py")).first
    choice.click()
    expect(dialog).to_be_hidden()
    expect(turn.get_by_text(re.compile(r"The right place was server.guard\.py"))).to_be_visible()
    recorded(turn)
    assert isinstance(held(chat, site)["correction"], int)
    chat.reload()
    expect(chat.get_by_text(re.compile(r"The right place was server.guard\.py"))).to_be_visible()
    chat.get_by_role("button", name="Take back").click()
    taken_back(chat.get_by_role("article").first)
    assert held(chat, site)["correction"] is None


def test_a_rated_answer_has_a_receipt(chat: Page) -> None:
    turn = ask(chat, QUESTION)
    expect(turn.get_by_role("button", name="Receipt")).to_be_hidden()
    sources(turn).first.get_by_role("button", name="Source 1 is right").click()
    recorded(turn)
    turn.get_by_role("button", name="Receipt").click()
    receipt = turn.get_by_role("region", name="Receipt")
    expect(receipt).to_contain_text(
        re.compile(r"Search alone \(version 0\) still ranks as it did: store/cron\.py:\d+–\d+ at 1")
    )
    expect(receipt.get_by_role("table")).to_have_count(0)


def test_an_open_receipt_follows_the_rating(chat: Page) -> None:
    turn = ask(chat, QUESTION)
    cards = sources(turn)
    cards.first.get_by_role("button", name="Source 1 is right").click()
    recorded(turn)
    turn.get_by_role("button", name="Receipt").click()
    receipt = turn.get_by_role("region", name="Receipt")
    expect(receipt).to_contain_text(place(cards.first))
    expect(receipt).not_to_contain_text(place(cards.nth(1)))
    cards.nth(1).get_by_role("button", name="Source 2 is not right").click()
    expect(receipt).to_contain_text(place(cards.nth(1)))
    cards.first.get_by_role("button", name="Source 1 is right").click()
    expect(receipt).not_to_contain_text(place(cards.first))


def test_a_save_that_fails_is_seen_kept_over_a_reload_and_sent_again(
    chat: Page, site: Site, complaints: Complaints
) -> None:
    complaints.expected.append("ERR_FAILED")
    turn = ask(chat, QUESTION)

    def cut(route: Route) -> None:
        route.abort()

    chat.route("**/rating", cut)
    turn.get_by_role("button", name="Good answer").click()
    expect(turn.get_by_role("alert")).to_contain_text("Not saved yet")
    assert held(chat, site)["thumb"] is None
    chat.reload()
    pressed(chat.get_by_role("button", name="Good answer"), True)
    expect(chat.get_by_text("A rating is not saved yet.")).to_be_visible()
    chat.unroute("**/rating")
    chat.get_by_role("button", name="Try now").first.click()
    recorded(chat.get_by_role("article").first)
    assert held(chat, site)["thumb"] == "up"
