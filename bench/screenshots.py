"""Pictures of the two pages for the README: ``make screenshots`` writes docs/img/*.png.

Nothing in them is made up: a server indexes code, questions are asked and rated as their labels say, the nightly job
trains a version and the gate judges it, all through the product; then a real browser photographs each main state, light
and dark, on a desk and on a phone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench import corpus as corpora
from bench.demo_loop import REVIEWER, Tally, rate_as_labelled
from bench.harness import Served, served
from rankloop.client import Client
from store.types import JobState
from tests.browser.chromium import ARGS, executable

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "img"
QUESTION = "How is a cron line parsed and checked?"
PATIENCE_S = 1800
SIZES = {"desk": (1360, 850), "phone": (390, 844)}
WAIT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Camera:
    """A page of one size and colour scheme, and where its pictures go."""

    page: Page
    suffix: str
    out: Path

    def shoot(self, name: str) -> None:
        self.page.wait_for_timeout(700)  # charts and highlighting arrive after the data
        self.page.screenshot(path=str(self.out / f"{name}-{self.suffix}.png"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--functions", type=int, default=300, help="functions of installed packages that are indexed")
    parser.add_argument("--ask", type=int, default=60, help="questions that are asked and rated before training")
    parser.add_argument("--no-training", action="store_true", help="skip the nightly job (its pages stay empty)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rankloop-shots-") as scratch:
        root = Path(scratch)
        with served(root / "data", root / "server.log", {"RANKLOOP_AUTO_PROMOTE": "false"}) as server:
            version = prepare(server, root / "code", args.functions, args.ask, train=not args.no_training)
            with sync_playwright() as playwright:
                path = executable(playwright)
                browser = playwright.chromium.launch(executable_path=None if path is None else str(path), args=[*ARGS])
                photograph(browser, server, args.out, version)
                browser.close()
    print(f"{len(list(args.out.glob('*.png')))} pictures in {args.out}")


def prepare(server: Served, folder: Path, functions: int, ask: int, *, train: bool) -> int | None:
    """Index, ask, rate, train. The trained version, None without training or without a challenger."""
    admin, person = server.client(REVIEWER, admin=True), server.client("demo-person")
    corpus = corpora.from_packages(functions, ask, seed=7)
    corpus.write(folder)
    for name, path in (("rankloop", ROOT / "server"), (corpus.name, folder)):
        say(f"indexing {name}")
        finish(admin, admin.add_repo(name, str(path)).job_id)
    say(f"asking and rating {len(corpus.questions)} questions")
    tally = Tally()
    for question in corpus.questions:
        rate_as_labelled(person, question, corpus.name, tally)
    if not train:
        return None
    say("the nightly job")
    version = finish(admin, admin.start_job("nightly")).get("version")
    if isinstance(version, int):
        detail = admin.model(version)
        admin.promote(
            version, "Found the right place more often on held-out questions", force=detail.decision != "promote"
        )
        return version
    return None


def finish(admin: Client, job_id: int) -> dict[str, object]:
    job = admin.wait(job_id, PATIENCE_S)
    if job.state is not JobState.SUCCEEDED:
        raise SystemExit(f"job {job_id} ended as {job.state}: {job.error}")
    return job.result or {}


def photograph(browser: Browser, server: Served, out: Path, version: int | None) -> None:
    token = (server.data / "admin-token").read_text(encoding="utf-8").strip()
    for size in SIZES:
        for scheme in ("light", "dark"):
            say(f"{size}, {scheme}")
            with camera(browser, size, scheme, out) as lens:
                chat(lens, server.url)
                admin_pages(lens, server.url, token, version)


@contextmanager
def camera(browser: Browser, size: str, scheme: str, out: Path) -> Iterator[Camera]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        reduced_motion="reduce",
    )
    context.set_default_timeout(WAIT_MS)
    try:
        yield Camera(context.new_page(), f"{size}-{scheme}", out)
    finally:
        context.close()


def chat(lens: Camera, url: str) -> None:
    page = lens.page
    page.goto(url)
    page.get_by_role("heading", name="Ask about your code").wait_for()
    lens.shoot("chat-empty")
    page.get_by_label("Repository").select_option("rankloop")
    page.get_by_label("Question").fill(QUESTION)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Good answer").wait_for()
    lens.shoot("chat-answer")
    page.get_by_role("button", name="Bad answer").click()
    page.get_by_role("button", name="2 stars").click()
    page.get_by_role("button", name="missing context").click()
    page.get_by_role("button", name="Source 1 is right").click()
    page.get_by_text("Recorded.").first.wait_for()
    page.get_by_role("button", name="Receipt").click()
    page.get_by_role("region", name="Receipt").get_by_role("table").wait_for()
    lens.shoot("chat-rated")
    page.get_by_role("button", name="The right place was…").click()
    page.get_by_role("dialog").get_by_role("listitem").first.wait_for()
    lens.shoot("chat-correction")
    page.keyboard.press("Escape")


def admin_pages(lens: Camera, url: str, token: str, version: int | None) -> None:
    page = lens.page
    page.goto(f"{url}/admin")
    page.get_by_label("Admin token").wait_for()
    lens.shoot("admin-sign-in")
    page.get_by_label("Admin token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    places = {"overview": "Overview", "versions": "Versions", "deployments": "Deployments", "jobs": "Jobs"}
    for place, heading in {**places, "data": "Data", "index": "Index"}.items():
        page.goto(f"{url}/admin#{place}")
        page.get_by_role("heading", level=1, name=heading).wait_for()
        lens.shoot(f"admin-{place}")
    if version is not None:
        page.goto(f"{url}/admin#versions/{version}")
        page.get_by_role("button", name="Model card").wait_for()
        lens.shoot("admin-version")
        page.goto(f"{url}/admin#versions/compare/0/{version}")
        page.get_by_role("region", name="Compare versions").get_by_role("table").wait_for()
        lens.shoot("admin-compare")


def say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
