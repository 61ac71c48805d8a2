"""Everything without a mouse."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.steps import QUESTION, recorded


def test_ask_look_and_rate_with_keys_alone(chat: Page) -> None:
    expect(chat.get_by_role("textbox", name="Question")).to_be_focused()
    chat.keyboard.type("How is a cron")
    chat.keyboard.press("Shift+Enter")
    expect(chat.get_by_role("textbox", name="Question")).to_have_value("How is a cron\n")
    chat.keyboard.type("line parsed?")
    chat.keyboard.press("Enter")
    turn = chat.get_by_role("article", name=re.compile("^Question: "))
    expect(turn.get_by_role("button", name="Good answer")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("textbox", name="Question")).not_to_be_focused()
    chat.keyboard.press("u")
    expect(turn.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    chat.keyboard.press("4")
    expect(turn.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    chat.keyboard.press("j")
    expect(turn.get_by_role("article", name=re.compile("^Source 1:"))).to_be_focused()
    chat.keyboard.press("j")
    expect(turn.get_by_role("article", name=re.compile("^Source 2:"))).to_be_focused()
    chat.keyboard.press("k")
    chat.keyboard.press("d")
    wrong = turn.get_by_role("button", name="Source 1 is not right")
    expect(wrong).to_have_attribute("aria-pressed", "true")
    recorded(turn)
    chat.keyboard.press("c")
    expect(chat.get_by_role("dialog", name="The right place was…")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("dialog")).to_be_hidden()
    chat.keyboard.press("?")
    expect(chat.get_by_role("dialog", name="Keyboard")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("dialog")).to_be_hidden()
    chat.keyboard.press("/")
    expect(chat.get_by_role("textbox", name="Question")).to_be_focused()


def test_keys_are_left_alone_while_typing(chat: Page) -> None:
    chat.get_by_role("textbox", name="Question").press_sequentially("u d c ? 5 j / k")
    expect(chat.get_by_role("textbox", name="Question")).to_have_value("u d c ? 5 j / k")
    expect(chat.get_by_role("dialog")).to_be_hidden()


def test_the_first_tab_stop_skips_the_list(chat: Page) -> None:
    chat.get_by_role("link", name="Skip to the question").focus()
    chat.keyboard.press("Enter")
    chat.keyboard.type(QUESTION)
    expect(chat.get_by_role("textbox", name="Question")).to_have_value(QUESTION)
