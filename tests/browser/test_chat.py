"""The chat: ask, stream, cite, look, keep, stop, fail and go on."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Complaints
from tests.browser.site import Site
from tests.browser.steps import QUESTION, ask, sources


def test_an_answer_streams_with_citations_that_lead_to_their_sources(chat: Page) -> None:
    turn = ask(chat, QUESTION)
    cited = turn.get_by_role("button", name=re.compile(r"^Source \d+: .+:\d+"))
    expect(cited.first).to_be_visible()
    name = cited.first.get_attribute("aria-label")
    assert name is not None
    cited.first.click()
    expect(turn.get_by_role("article", name=name, exact=True)).to_be_focused()


def test_a_source_shows_its_code_scores_and_both_ranks(chat: Page) -> None:
    turn = ask(chat, QUESTION)
    source = sources(turn).first
    expect(source.get_by_role("region", name="Code of source 1")).to_be_visible()
    expect(source.locator(".tok-keyword").first).to_be_visible()
    source.get_by_role("button", name="Why here?").click()
    expect(source).to_contain_text(re.compile(r"Rank \d+ in the first stage → \d+ in the end"))
    source.get_by_role("button", name="Open source 1").click()
    dialog = chat.get_by_role("dialog", name="Source 1")
    expect(dialog.get_by_role("region")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(source.get_by_role("button", name="Open source 1")).to_be_focused()


def test_a_conversation_is_kept_renamed_searched_and_deleted(chat: Page, site: Site) -> None:
    ask(chat, QUESTION)
    expect(chat).to_have_url(re.compile(r"\?c=.+"))
    chat.reload()
    expect(chat.get_by_role("article", name=f"Question: {QUESTION}")).to_be_visible()
    panel = chat.get_by_role("navigation", name="Conversations")
    row = panel.get_by_role("listitem").first
    row.hover()
    row.get_by_role("button", name=re.compile("^Rename")).click()
    panel.get_by_label("Conversation name").fill("About zeppelins")
    chat.keyboard.press("Enter")
    expect(panel.get_by_role("link", name=re.compile("About zeppelins"))).to_be_visible()
    panel.get_by_label("Search conversations").fill("zeppelin")
    expect(panel.get_by_role("link", name=re.compile("About zeppelins"))).to_be_visible()
    panel.get_by_label("Search conversations").fill("submarine")
    expect(panel.get_by_text("No conversation holds these words.")).to_be_visible()
    panel.get_by_label("Search conversations").fill("")
    row.hover()
    row.get_by_role("button", name=re.compile("^Delete")).click()
    chat.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(panel.get_by_text("Your conversations appear here.")).to_be_visible()
    expect(chat).to_have_url(f"{site.url}/")


def test_the_repository_can_be_chosen_and_is_remembered(chat: Page) -> None:
    picker = chat.get_by_label("Repository")
    picker.select_option("demo")
    chat.reload()
    expect(picker).to_have_value("demo")
    expect(sources(ask(chat, QUESTION)).first).to_be_visible()


def test_what_is_typed_survives_a_reload(chat: Page) -> None:
    chat.get_by_role("textbox", name="Question").fill("half a thought about")
    chat.reload()
    expect(chat.get_by_role("textbox", name="Question")).to_have_value("half a thought about")


def test_a_failed_answer_says_so_and_can_be_asked_again(chat: Page, complaints: Complaints) -> None:
    complaints.expected.append("503")
    broken = True

    def sometimes(route: Route) -> None:
        body = '{"error": {"code": "busy", "message": "Too many questions at once; try again in a moment."}}'
        if broken:
            route.fulfill(status=503, content_type="application/json", body=body)
        else:
            route.continue_()

    chat.route("**/api/chat", sometimes)
    chat.get_by_role("textbox", name="Question").fill(QUESTION)
    chat.keyboard.press("Enter")
    expect(chat.get_by_role("alert")).to_contain_text("Too many questions at once")
    broken = False
    chat.get_by_role("button", name="Ask again").click()
    expect(chat.get_by_role("button", name="Good answer")).to_be_visible()
    expect(chat.get_by_role("article", name=f"Question: {QUESTION}")).to_have_count(1)


def test_a_running_answer_can_be_stopped(chat: Page) -> None:
    chat.route("**/api/chat", lambda _: None)  # never answers
    chat.get_by_role("textbox", name="Question").fill(QUESTION)
    chat.keyboard.press("Enter")
    chat.get_by_role("button", name="Stop").click()
    expect(chat.get_by_text("You stopped this answer.")).to_be_visible()
    chat.unroute("**/api/chat")
    chat.get_by_role("button", name="Ask again").click()
    expect(chat.get_by_role("button", name="Good answer")).to_be_visible()


def test_going_offline_is_said(chat: Page, complaints: Complaints) -> None:
    complaints.expected.append("ERR_INTERNET_DISCONNECTED")
    expect(chat.get_by_role("heading", name="Ask about your code")).to_be_visible()
    chat.context.set_offline(True)
    expect(chat.get_by_role("alert").filter(has_text="You are offline")).to_be_visible()
    chat.context.set_offline(False)
    expect(chat.get_by_text("You are offline")).to_be_hidden()


def test_streaming_moves_nothing(chat: Page) -> None:
    chat.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({type: 'layout-shift', buffered: false}); }"""
    )
    ask(chat, QUESTION)
    assert chat.evaluate("window.shift") < 0.1


def test_an_unknown_conversation_says_so(page: Page, site: Site, complaints: Complaints) -> None:
    complaints.expected.append("404")
    page.goto(f"{site.url}/?c=nothing")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Start a new conversation").click()
    expect(page.get_by_role("heading", name="Ask about your code")).to_be_visible()


def test_a_follow_up_says_what_it_was_searched_with_and_only_a_follow_up(chat: Page) -> None:
    first = ask(chat, QUESTION)
    expect(first.get_by_text("Searched as:")).to_have_count(0)
    turn = ask(chat, "and in the tests?")
    said = turn.get_by_text(f"Searched as: {QUESTION} · and in the tests?", exact=True)
    expect(said).to_be_visible()
    chat.reload()
    expect(said).to_be_visible()
