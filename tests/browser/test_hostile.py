"""Code, file names, questions, notes and names are shown as text, whatever they contain."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.hostile import FILE, PAYLOADS, answered
from tests.browser.site import Site
from tests.browser.steps import ask, recorded, sources

BATCHES = [PAYLOADS[start : start + 21] for start in range(0, len(PAYLOADS), 21)]


def nothing_ran(page: Page) -> None:
    """No script ran (a dialog would fail the test by itself) and no element came from the text."""
    assert page.evaluate("window.hacked") is None
    assert (
        page.locator("[onerror], [onload], [onfocus], [onbegin], iframe, object, embed, img, script:not([src])").count()
        == 0
    )
    assert page.locator("a[href^='javascript' i], a[href^='data:' i]").count() == 0


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 80


def test_a_hostile_file_is_shown_as_text(chat: Page) -> None:
    turn = ask(chat, "zebra quagga payloads")
    source = sources(turn).filter(has_text=FILE).first
    expect(source).to_be_visible()
    more = source.get_by_role("button", name="Show all")
    if more.count():
        more.click()
    nothing_ran(chat)
    turn.get_by_role("button", name="Bad answer").click()
    turn.get_by_label("What was missing?").fill(PAYLOADS[0])
    chat.keyboard.press("Tab")
    recorded(turn)
    turn.get_by_role("button", name="The right place was…").click()
    expect(chat.get_by_role("dialog").get_by_text(FILE).first).to_be_visible()
    nothing_ran(chat)


@pytest.mark.parametrize("payloads", BATCHES, ids=range(len(BATCHES)))
def test_hostile_answers_are_shown_as_text(chat: Page, payloads: tuple[str, ...]) -> None:
    """What a language model might be talked into writing: each payload as an answer of its own paragraph and inline."""
    text = "\n\n".join(f"Before {payload} after [1]\n\n{payload}" for payload in payloads)
    stream = answered(text, payloads)

    def answer(route: Route) -> None:
        route.fulfill(status=200, content_type="text/event-stream", body=stream)

    chat.route("**/api/chat", answer)
    turn = ask(chat, payloads[0])
    expect(turn.get_by_role("button", name="Source 1:").first).to_be_visible()
    nothing_ran(chat)


def test_hostile_names_are_shown_as_text_on_the_admin_page(admin: Page, site: Site) -> None:
    name = "<svg/onload=alert(1)></svg>"  # with slashes, as in names of the form team/repository
    for page in ("versions", "data", "index", "jobs", "deployments"):
        admin.goto(f"{site.url}/admin#{page}")
        nothing_ran(admin)
    admin.goto(f"{site.url}/admin#index")
    form = admin.get_by_role("form", name="Add a repository")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Directory on the server's machine").fill(str(site.repo))
    form.get_by_role("button", name="Add and index").click()
    expect(admin.get_by_role("heading", name=name, exact=True)).to_be_visible()
    nothing_ran(admin)
    entry = admin.get_by_role("listitem").filter(has=admin.get_by_role("heading", name=name, exact=True))
    expect(entry).to_contain_text("Indexed just now")
    admin.get_by_role("button", name=f"Remove {name}").click()
    expect(admin.get_by_role("dialog")).to_contain_text(name)
    nothing_ran(admin)
    admin.get_by_role("button", name="Remove from search").click()
    expect(admin.get_by_role("heading", name=name, exact=True)).to_have_count(0)
