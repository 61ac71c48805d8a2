"""How it looks and what helps the blind: axe on each state, dark and light, phone width, strict security policy."""

from __future__ import annotations

import gzip

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from store.types import Version
from tests.browser.site import TOKEN, Site
from tests.browser.steps import QUESTION, ask, recorded, sources

PHONE = {"width": 360, "height": 740}


def grave(page: Page) -> list[str]:
    """axe's serious and critical findings, in words."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def wider_than_window(page: Page) -> int:
    over: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return over


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, page: Page) -> Page:
    page.emulate_media(color_scheme=request.param)
    return page


def test_the_chat_has_no_serious_fault(themed: Page, site: Site) -> None:
    themed.goto(site.url)
    expect(themed.get_by_role("heading", name="Ask about your code")).to_be_visible()
    assert grave(themed) == []
    turn = ask(themed, QUESTION)
    expect(sources(turn).first.locator(".tok-keyword").first).to_be_visible()
    turn.get_by_role("button", name="Bad answer").click()
    sources(turn).first.get_by_role("button", name="Why here?").click()
    sources(turn).first.get_by_role("button", name="Source 1 is right").click()
    recorded(turn)
    turn.get_by_role("button", name="Receipt").click()
    expect(turn.get_by_role("region", name="Receipt")).to_contain_text("still ranks as it did")
    assert grave(themed) == []
    themed.get_by_role("button", name="Open source 1").click()
    assert grave(themed) == []
    themed.keyboard.press("Escape")
    turn.get_by_role("button", name="The right place was…").click()
    expect(themed.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()
    assert grave(themed) == []


def test_the_admin_page_has_no_serious_fault(themed: Page, site: Site, versions: tuple[Version, Version]) -> None:
    themed.goto(f"{site.url}/admin")
    expect(themed.get_by_label("Admin token")).to_be_visible()
    assert grave(themed) == []
    themed.get_by_label("Admin token").fill(TOKEN)
    themed.get_by_role("button", name="Sign in").click()
    for name in ("Overview", "Versions", "Deployments", "Jobs", "Data", "Index"):
        themed.get_by_role("navigation", name="Admin").get_by_role("link", name=name).click()
        expect(themed.get_by_role("heading", level=1, name=name)).to_be_visible()
        expect(themed.get_by_text("Loading")).to_have_count(0)
        assert grave(themed) == [], name
    themed.goto(f"{site.url}/admin#versions/{versions[1].id}")
    expect(themed.get_by_role("button", name="Model card")).to_be_visible()
    assert grave(themed) == []


def test_a_phone_shows_everything(page: Page, site: Site) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(site.url)
    turn = ask(page, QUESTION)
    assert wider_than_window(page) == 0
    turn.get_by_role("button", name="Good answer").click()
    recorded(turn)
    page.get_by_role("button", name="Conversations").click()
    expect(page.get_by_role("link", name=QUESTION)).to_be_visible()
    page.get_by_role("button", name="Close the list").click()
    expect(page.get_by_role("navigation", name="Conversations")).to_be_hidden()
    page.goto(f"{site.url}/admin")
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    for name in ("Overview", "Versions", "Jobs", "Data", "Index"):
        page.get_by_role("navigation", name="Admin").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        assert wider_than_window(page) == 0, name


LIGHT, DARK = "rgb(250, 249, 247)", "rgb(20, 22, 26)"


def test_dark_and_light_follow_the_system_and_the_button(page: Page, site: Site) -> None:
    whole = page.locator("html")
    page.emulate_media(color_scheme="light")
    page.goto(site.url)
    expect(whole).to_have_css("background-color", LIGHT)
    page.emulate_media(color_scheme="dark")
    expect(whole).to_have_css("background-color", DARK)
    page.get_by_role("button", name="Theme: system. Switch to light").click()
    expect(whole).to_have_css("background-color", LIGHT)
    page.reload()
    expect(page.get_by_role("button", name="Theme: light. Switch to dark")).to_be_visible()
    expect(whole).to_have_css("background-color", LIGHT)


def test_the_first_load_is_small(page: Page, site: Site) -> None:
    """Under 150 kB of compressed script: measured as gzip, whatever the server compresses."""
    sizes: list[int] = []
    page.on(
        "response",
        lambda answer: sizes.append(len(gzip.compress(answer.body()))) if answer.url.endswith(".js") else None,
    )
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Ask about your code")).to_be_visible()
    assert 0 < sum(sizes) < 150_000
