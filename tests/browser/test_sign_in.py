"""Signing in through OpenID Connect in a real browser, with the provider on another site."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site, running
from tests.browser.steps import QUESTION, ask, sources
from tests.oidc_provider import CLIENT, SECRET, Provider, provider


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Provider]]:
    """The server on 127.0.0.1, the provider on localhost: to a browser these are two sites."""
    with ExitStack() as stack:
        issuer = stack.enter_context(provider())
        settings = {
            "RANKLOOP_OIDC_URL": issuer.discovery,
            "RANKLOOP_OIDC_CLIENT_ID": CLIENT,
            "RANKLOOP_OIDC_CLIENT_SECRET": SECRET,
            "RANKLOOP_ROLES": "reading=user, dev=rater",
        }
        folder = tmp_path_factory.mktemp("signing")
        yield stack.enter_context(running(folder, files=("store/errors.py",), settings=settings)), issuer


def sign_in(page: Page, site: Site) -> None:
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Sign in to ask")).to_be_visible()
    expect(page.get_by_role("textbox", name="Question")).to_be_hidden()
    page.get_by_role("link", name="Sign in", exact=True).click()
    expect(page).to_have_url(f"{site.url}/")


def test_a_person_signs_in_rates_and_signs_out(page: Page, signing: tuple[Site, Provider]) -> None:
    site, issuer = signing
    issuer.claims = {"sub": "1", "email": "ada@example.org", "email_verified": True, "groups": ["dev"]}
    sign_in(page, site)
    expect(page.get_by_text("Signed in as ada@example.org")).to_be_visible()
    turn = ask(page, QUESTION)
    turn.get_by_role("button", name="Good answer").click()
    expect(turn.get_by_text("Recorded.")).to_be_visible()
    kept = {cookie["name"]: cookie for cookie in page.context.cookies()}
    session = kept["rankloop_session"]
    assert (session["httpOnly"], session["sameSite"]) == (True, "Strict")
    assert set(kept) == {"rankloop_session"}, "the attempt's cookie is gone, and nobody is a visitor"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to ask")).to_be_visible()
    again = httpx.get(f"{site.url}/api/repos", cookies={"rankloop_session": session["value"]})
    assert again.status_code == 401


def test_who_may_only_ask_sees_why_the_ratings_are_closed(page: Page, signing: tuple[Site, Provider]) -> None:
    site, issuer = signing
    issuer.claims = {"sub": "2", "email": "bo@example.org", "email_verified": True, "groups": ["reading"]}
    sign_in(page, site)
    turn = ask(page, QUESTION)
    for name in ("Good answer", "Bad answer", "The right place was…", "Source 1 is right"):
        expect(turn.get_by_role("button", name=name)).to_be_disabled()
    expect(turn.get_by_text("You may ask here, but not rate.")).to_be_visible()
    turn.get_by_role("button", expanded=False).first.click()  # a click on a source is a signal too, and not sent
    expect(sources(turn).get_by_role("region", name="Code of source").first).to_be_visible()


def test_a_repository_that_is_not_mine_is_not_in_the_list(page: Page, signing: tuple[Site, Provider]) -> None:
    site, issuer = signing
    issuer.claims = {"sub": "1", "email": "ada@example.org", "email_verified": True, "groups": ["dev"]}
    site.admin("PUT", "repos/demo/visibility", {"restricted": True, "groups": ["others"]})
    try:
        sign_in(page, site)
        expect(page.get_by_role("heading", name="Nothing is indexed yet")).to_be_visible()
    finally:
        site.admin("PUT", "repos/demo/visibility", {"restricted": False})
