"""Whatever an answer says, a browser that shows it asks nobody but its own server for anything."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Complaints
from tests.browser.hostile import answered
from tests.browser.site import Site
from tests.browser.steps import ask, sources
from tests.injections import INJECTIONS, REMOTE, obedient

OTHERS = (
    f"![x]({REMOTE}/image.png)",
    f"![x](<{REMOTE}/image.png>)",
    f"[![x]({REMOTE}/badge.svg)]({REMOTE}/project)",
    f"![x][far]\n\n[far]: {REMOTE}/far.png",
    f"<img src={REMOTE}/img.png>",
    f"<img srcset='{REMOTE}/set.png 2x'>",
    f"<picture><source srcset={REMOTE}/picture.png></picture>",
    f"<video poster={REMOTE}/poster.png></video>",
    f"<link rel=prefetch href={REMOTE}/prefetch>",
    f"<link rel=dns-prefetch href={REMOTE}>",
    f"<div style='background:url({REMOTE}/back.png)'>x</div>",
    f"<svg><image href={REMOTE}/svg.png /></svg>",
    f"<meta http-equiv=refresh content='0;url={REMOTE}/refresh'>",
    f"<{REMOTE}/steal>",
    f"{REMOTE}/bare",
    f"[here]({REMOTE}/link)",
    f"| ![x]({REMOTE}/cell.png) |\n|---|\n| <img src={REMOTE}/cell.gif> |",
    f"```\n![x]({REMOTE}/fence.png)\n```",
)
ANSWERS = [*(obedient(n) for n in range(len(INJECTIONS))), *OTHERS]
WORDS = ("image.png", "img.png", "set.png", "steal", "fence.png", "pixel.png", "a.gif", "x.css")
"""Of addresses in the answer, shown as text; a list would be passed by an answer that is empty."""
QUESTION = "What do the answers of an obedient model load?"


class Asked:
    """Every address that a page asks for. Those of others go nowhere."""

    def __init__(self, page: Page, own: str) -> None:
        self.addresses: list[str] = []
        self._own = own
        page.context.on("request", lambda request: self.addresses.append(request.url))
        page.context.route(f"{REMOTE}/**", lambda route: route.abort())

    @property
    def foreign(self) -> list[str]:
        """Pictures inside the page (``data:``) are asked of nobody."""
        return [one for one in self.addresses if not one.startswith("data:") and origin(one) != self._own]


def origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def without_policy(route: Route) -> None:
    """The page itself must ask nobody: its policy is the second door, not the only one."""
    response = route.fetch()
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-security-policy"}
    route.fulfill(response=response, headers=headers)


@pytest.fixture(params=["with its policy", "without"])
def watched(request: pytest.FixtureRequest, page: Page, site: Site) -> tuple[Page, Asked]:
    asked = Asked(page, site.url)
    if request.param == "without":
        page.route(f"{site.url}/", without_policy)
    page.goto(site.url)
    return page, asked


def test_an_answer_loads_nothing_from_elsewhere(watched: tuple[Page, Asked], complaints: Complaints) -> None:
    page, asked = watched
    text = "\n\n".join(ANSWERS)
    page.route(
        "**/api/chat",
        lambda route: route.fulfill(content_type="text/event-stream", body=answered(text, ANSWERS)),
    )
    turn = ask(page, QUESTION)
    for word in WORDS:
        expect(turn.locator(".markdown").first).to_contain_text(word)
    expect(sources(turn).first).to_contain_text("pixel.png")
    page.wait_for_load_state("networkidle")
    assert any(address.endswith("/api/chat") for address in asked.addresses)
    assert asked.foreign == []
    assert turn.locator("img, picture, video, iframe, form[action], link, meta, style, object, embed").count() == 0
    assert complaints.unexpected() == []
    an_image_of_the_page_would_be_seen(page, asked, complaints)


def an_image_of_the_page_would_be_seen(page: Page, asked: Asked, complaints: Complaints) -> None:
    """Either the request is in the list, or the policy has refused it and says so: these eyes are open."""
    complaints.expected.append(REMOTE)
    page.evaluate(
        """(address) => new Promise((done) => {
            const image = new Image();
            image.onerror = () => done();
            image.src = address;
            document.body.append(image);
        })""",
        f"{REMOTE}/seen.png",
    )
    assert any("seen.png" in one for one in (*asked.foreign, *complaints.heard))
