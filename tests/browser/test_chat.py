"""The chat: ask, stream, cite, look, keep, stop, fail and go on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from server.schemas.common import MAX_QUESTION
from tests.browser.conftest import Complaints
from tests.browser.site import Site
from tests.browser.steps import QUESTION, ask, recorded, sources


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
    expect(source).to_contain_text("Rank 1 by search alone: no trained model was at work.")
    expect(source.get_by_role("term")).to_have_text(["By meaning", "By words", "Together"])
    source.get_by_role("button", name="Open source 1").click()
    dialog = chat.get_by_role("dialog", name="Source 1")
    expect(dialog.get_by_role("region")).to_be_visible()
    for what in ("Copy path and line", "Copy code"):
        expect(dialog.get_by_role("button", name=what)).to_have_attribute("title", what)
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


def test_the_title_stays_while_conversations_are_searched(chat: Page) -> None:
    ask(chat, QUESTION)
    panel = chat.get_by_role("navigation", name="Conversations")
    expect(panel.get_by_role("link", name=re.compile(QUESTION[:20]))).to_be_visible()
    panel.get_by_label("Search conversations").fill("submarine")
    expect(panel.get_by_text("No conversation holds these words.")).to_be_visible()
    expect(chat.get_by_role("banner").get_by_text(QUESTION)).to_be_visible()
    expect(chat).to_have_title(f"{QUESTION} – Rankloop")
    chat.get_by_role("button", name="New conversation").click()
    expect(chat).to_have_title("Rankloop")


def test_a_first_question_ends_the_note_about_conversations(chat: Page) -> None:
    note = chat.get_by_text("Your conversations appear here.")
    expect(note).to_be_visible()
    chat.route("**/api/chat", lambda _: None)  # never answers
    chat.get_by_role("textbox", name="Question").fill(QUESTION)
    chat.keyboard.press("Enter")
    expect(chat.get_by_role("button", name="Stop")).to_be_visible()
    expect(note).to_be_hidden()


@pytest.fixture
def second(site: Site, tmp_path: Path) -> Iterator[str]:
    """Another repository for the while of a test: its name."""
    (tmp_path / "second").mkdir()
    shutil.copy(site.repo / "store/cron.py", tmp_path / "second/cron_copy.py")
    accepted = site.admin("POST", "repos", {"name": "second", "path": str(tmp_path / "second")})
    site.wait_for_job(accepted["job_id"])
    yield "second"
    site.admin("DELETE", "repos/second")


def test_repositories_are_named_where_there_are_several(chat: Page, second: str) -> None:
    chat.reload()
    expect(chat.get_by_label("Repository")).to_contain_text(second)
    turn = ask(chat, QUESTION)
    card = sources(turn).filter(has_text="cron_copy.py").first
    expect(card).to_contain_text(second)
    expect(card).to_have_attribute("aria-label", re.compile(r"cron_copy\.py:\d+–\d+ in second$"))
    for citation in turn.get_by_role("button", name=re.compile(r"^Source \d+: ")).all():
        expect(citation).to_have_attribute("title", re.compile(r" in (demo|second)$"))
    card.get_by_role("button", name=re.compile("is right$")).click()
    recorded(turn)
    turn.get_by_role("button", name="Receipt").click()
    expect(turn.get_by_role("region", name="Receipt")).to_contain_text(re.compile(r"cron_copy\.py:\d+–\d+ in second"))
    turn.get_by_role("button", name="The right place was…").click()
    choices = chat.get_by_role("dialog").get_by_role("button", name=re.compile("^Choose "))
    expect(choices.first).to_have_attribute("aria-label", re.compile(r" in (demo|second)$"))
    chat.keyboard.press("Escape")
    chat.get_by_label("Repository").select_option("demo")
    alone = ask(chat, QUESTION)
    expect(sources(alone).first).not_to_have_attribute("aria-label", re.compile(" in demo$"))


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


def test_a_question_that_is_too_long_is_kept_and_not_sent(chat: Page) -> None:
    field = chat.get_by_role("textbox", name="Question")
    fitting = "🦆" * MAX_QUESTION  # two halves each: counted as the server counts
    field.fill(fitting)
    expect(chat.get_by_text("0 characters left")).to_be_visible()
    expect(chat.get_by_role("button", name="Ask")).to_be_enabled()
    field.fill(f"{fitting}!")
    expect(chat.get_by_text("1 character too many")).to_be_visible()
    expect(chat.get_by_role("alert")).to_contain_text(f"at most {MAX_QUESTION:,} characters")
    expect(chat.get_by_role("button", name="Ask")).to_be_disabled()
    chat.keyboard.press("Enter")
    expect(field).to_have_value(f"{fitting}!")
    expect(chat.get_by_role("article")).to_have_count(0)


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
