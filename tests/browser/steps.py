"""Steps that several browser tests share."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

QUESTION = "How is a cron line parsed and checked?"
RECORDED = "Recorded. This trains search ranking."
TAKEN_BACK = "Taken back. Nothing of it will be trained on."


def ask(page: Page, question: str) -> Locator:
    """Ask and wait until the answer can be rated; its turn."""
    before = page.get_by_role("article", name=f"Question: {question}").count()
    page.get_by_role("textbox", name="Question").fill(question)
    page.keyboard.press("Enter")
    turn = page.get_by_role("article", name=f"Question: {question}").nth(before)
    expect(turn.get_by_role("button", name="Good answer")).to_be_visible()
    return turn


def sources(turn: Locator) -> Locator:
    return turn.get_by_role("region", name="Sources").get_by_role("article")


def recorded(turn: Locator) -> None:
    """The rating is durable: the line that says so is there, and nothing is under way."""
    expect(turn.get_by_text(RECORDED)).to_be_visible()
    expect(turn.get_by_text("Saving…")).to_be_hidden()


def taken_back(turn: Locator) -> None:
    """Nothing that this visitor said of the answer holds any more, and that is durable."""
    expect(turn.get_by_text(TAKEN_BACK)).to_be_visible()
    expect(turn.get_by_text("Saving…")).to_be_hidden()
