"""Data: the team's golden questions are added, warned of and removed."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.test_admin import open_page


def test_golden_questions_are_added_warned_of_and_removed(admin: Page) -> None:
    open_page(admin, "Data")
    admin.get_by_role("navigation", name="Data").get_by_role("link", name="Golden questions").click()
    expect(admin.get_by_text("There are no golden questions yet.")).to_be_visible()
    form = admin.get_by_role("form", name="Add a golden question")
    add = form.get_by_role("button", name="Add")
    form.get_by_label("Question").fill("Where is a cron line parsed?")
    expect(add).to_be_disabled()
    form.get_by_label("Files that answer it").fill("store/cron.py\n\n  moon.py  ")
    add.click()
    row = admin.get_by_role("list", name="Golden questions").get_by_role("listitem").first
    expect(row).to_contain_text("Where is a cron line parsed?")
    expect(row).to_contain_text("store/cron.py")
    expect(row).to_contain_text("no repository holds moon.py")
    expect(row).not_to_contain_text("no repository holds store/cron.py")
    expect(form.get_by_label("Question")).to_have_value("")
    admin.reload()
    expect(row).to_contain_text("moon.py")
    row.get_by_role("button", name="Remove Where is a cron line parsed?").click()
    expect(admin.get_by_text("There are no golden questions yet.")).to_be_visible()
