"""One server and one browser for all browser tests; a fresh visitor for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, expect, sync_playwright

from store.types import Decision, Version
from tests.browser.chromium import ARGS, executable
from tests.browser.hostile import FILE as HOSTILE_FILE
from tests.browser.hostile import SOURCE as HOSTILE_SOURCE
from tests.browser.site import ROOT, TOKEN, Site, running

WAIT_MS = 20_000


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    assert (ROOT / "server/static/index.html").is_file(), "the pages are not built: make gui"
    with running(tmp_path_factory.mktemp("site"), extra={HOSTILE_FILE: HOSTILE_SOURCE}) as site:
        yield site


@pytest.fixture(scope="session")
def versions(site: Site) -> tuple[Version, Version]:
    """One version that the gate believes in and one that it does not."""
    good = site.publish(1, Decision.PROMOTE, ("ndcg@10 rose by 0.041 on 120 queries (p = 0.003)",))
    unsure = site.publish(2, Decision.NOT_PROVEN, ("about 60 more judged queries would settle it",))
    return good, unsure


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = executable(playwright)
        assert path is not None, "no Chromium: python tests/browser/ensure_chromium.py"
        browser = playwright.chromium.launch(executable_path=str(path), args=list(ARGS))
        yield browser
        browser.close()


@dataclass
class Complaints:
    """What the browser complained about. Tests that provoke failures say which to expect."""

    heard: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.heard.append(f"error: {error}"))
        page.on("console", self._console)
        page.on("dialog", self._dialog)

    def _dialog(self, dialog: Dialog) -> None:
        self.heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.heard.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def unexpected(self) -> list[str]:
        return [text for text in self.heard if not any(part in text for part in self.expected)]


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    complaints = Complaints()
    yield complaints
    assert complaints.unexpected() == []


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, complaints: Complaints) -> Page:
    expect.set_options(timeout=WAIT_MS)
    page = context.new_page()
    complaints.listen(page)
    return page


@pytest.fixture
def chat(page: Page, site: Site) -> Page:
    page.goto(site.url)
    return page


@pytest.fixture
def admin(page: Page, site: Site) -> Page:
    """The admin page, signed in through its form."""
    page.goto(f"{site.url}/admin")
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page
