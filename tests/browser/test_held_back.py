"""Data: a burst of ratings is shown, released and left out; Index: where secrets were left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import TOKEN, Site, running

LIMIT = 5
SECRET = "Xq9" + "vL2mTz8"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of its own that holds back what is more than five ratings within ten minutes."""
    code = {"mail.py": f'def send():\n    """Send the mail of the night."""\n    password = "{SECRET}"\n'}
    settings = {"RANKLOOP_BURST_SIGNALS": str(LIMIT)}
    folder: Path = tmp_path_factory.mktemp("strict")
    with running(folder, files=("store/cron.py", "store/blend.py"), extra=code, settings=settings) as site:
        who = {"X-Rankloop-User": "mallory"}
        answer = httpx.post(
            f"{site.url}/api/answer", json={"question": "How is a cron line parsed?"}, headers=who
        ).json()
        for n in range(LIMIT + 1):
            chunk = answer["sources"][n % 2]["chunk_id"]
            path = f"{site.url}/api/answers/{answer['answer_id']}/chunks/{chunk}/rating"
            httpx.put(path, json={"relevant": n % 4 < 2}, headers=who).raise_for_status()
        yield site


@pytest.fixture
def page_of_strict(page: Page, strict: Site) -> Page:
    page.goto(f"{strict.url}/admin")
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page


def test_a_burst_is_decided_about_and_says_by_whom(page_of_strict: Page) -> None:
    page_of_strict.get_by_role("navigation", name="Admin").get_by_role("link", name="Data").click()
    held = page_of_strict.get_by_role("region", name="Held back")
    expect(held).to_contain_text(f"Held back: mallory, {LIMIT + 1} ratings within")
    held.get_by_label("Why, about mallory").fill("A script, by agreement")
    held.get_by_role("button", name="Release").click()
    expect(held).to_contain_text(f"Released: mallory, {LIMIT + 1} ratings within")
    expect(held).to_contain_text("by admin")
    expect(held).to_contain_text("A script, by agreement")
    expect(held.get_by_role("button", name="Release")).to_have_count(0)
    page_of_strict.reload()
    expect(held).to_contain_text("Released: mallory")
    held.get_by_role("button", name="Leave out").click()
    expect(held).to_contain_text("Left out: mallory")


def test_the_index_page_says_where_secrets_were_left_out(page_of_strict: Page) -> None:
    page_of_strict.get_by_role("navigation", name="Admin").get_by_role("link", name="Index").click()
    told = page_of_strict.get_by_text("1 secret left out of the index, and where")
    told.click()
    expect(page_of_strict.get_by_text("mail.py:3")).to_be_visible()
    assert SECRET not in page_of_strict.content()
