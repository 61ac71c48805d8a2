"""Pictures of the two pages for the README: ``make screenshots`` writes docs/img/*.png.

A server indexes a small invented code base and this repository's ``store``; questions are asked and rated as their
labels say, the nightly job trains a version and the gate judges it, all through the product. Then a real browser
photographs each main state, light and dark, on a desk and on a phone.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench import corpus as corpora
from bench.demo_loop import REVIEWER, Tally, rate_as_labelled
from bench.harness import Served, served
from bench.toolbox import toolbox
from rankloop.client import Client
from store.types import JobState
from tests.browser.chromium import ARGS, executable

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "img"
QUESTION = "How is a cron line parsed and checked?"
PERSON = "demo-person"
PATIENCE_S = 1800
SCHEMES = ("light", "dark")
SIZES = {"desk": (1360, 850), "phone": (390, 844)}
ON_PHONE = ("chat-answer", "chat-rated", "admin-overview", "admin-data")
LARGEST_BYTES = 250_000
WAIT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Camera:
    """A page of one size and colour scheme, and where its pictures go."""

    page: Page
    size: str
    scheme: str
    out: Path

    def shoot(self, name: str) -> None:
        if self.size == "phone" and name not in ON_PHONE:
            return
        self.page.wait_for_timeout(700)  # charts and highlighting arrive after the data
        file = self.out / (f"{name}-{self.scheme}.png" if self.size == "desk" else f"{name}-phone-{self.scheme}.png")
        self.page.screenshot(path=str(file))
        if file.stat().st_size > LARGEST_BYTES:
            raise SystemExit(f"{file.name} has {file.stat().st_size:,} bytes; at most {LARGEST_BYTES:,} are wanted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--data", type=Path, help="data directory that is kept and, where it is there, used again")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rankloop-shots-") as scratch:
        data = (args.data or Path(scratch) / "data").resolve()
        again = (data / "rankloop.db").is_file()
        with served(data, Path(scratch) / "server.log", {"RANKLOOP_AUTO_PROMOTE": "false"}) as server:
            if not again:
                prepare(server, Path(scratch) / "code")
            with sync_playwright() as playwright:
                path = executable(playwright)
                browser = playwright.chromium.launch(executable_path=None if path is None else str(path), args=[*ARGS])
                photograph(browser, server, args.out)
                browser.close()
    say(f"{len(list(args.out.glob('*.png')))} pictures in {args.out}")


# --- what is photographed -------------------------------------------------------------------


def prepare(server: Served, folder: Path) -> None:
    """Index; ask, rate, train and promote; then ask and rate what the new version answers."""
    admin = server.client(REVIEWER, admin=True)
    corpus = toolbox()
    corpus.write(folder / corpus.name)
    index(admin, corpus.name, folder / corpus.name)
    first = len(corpus.questions) * 2 // 3
    learn(server, corpus.name, corpus.questions[:first])
    say("the nightly job")
    version = finish(admin, admin.start_job("nightly")).get("version")
    if isinstance(version, int):
        forced = admin.model(version).decision != "promote"
        admin.promote(version, "Finds the right place more often on the questions we asked", force=forced)
    learn(server, corpus.name, corpus.questions[first:])
    shutil.copytree(ROOT / "store", folder / "rankloop" / "store", ignore=shutil.ignore_patterns("__*__"))
    index(admin, "rankloop", folder / "rankloop")


def index(admin: Client, name: str, path: Path) -> None:
    say(f"indexing {name}")
    finish(admin, admin.add_repo(name, str(path)).job_id)


def learn(server: Served, repo: str, questions: Sequence[corpora.Question]) -> None:
    """Two people ask and rate as the labels say."""
    say(f"asking and rating {len(questions)} questions")
    people = [server.client(PERSON), server.client("second-person")]
    tally = Tally()
    for number, question in enumerate(questions):
        rate_as_labelled(people[number % 3 == 0], question, repo, tally)


def finish(admin: Client, job_id: int) -> dict[str, object]:
    job = admin.wait(job_id, PATIENCE_S)
    if job.state is not JobState.SUCCEEDED:
        raise SystemExit(f"job {job_id} ended as {job.state}: {job.error}")
    return job.result or {}


# --- the pictures -----------------------------------------------------------------------------


def photograph(browser: Browser, server: Served, out: Path) -> None:
    token = (server.data / "admin-token").read_text(encoding="utf-8").strip()
    for size in SIZES:
        for scheme in SCHEMES:
            say(f"{size}, {scheme}")
            with camera(browser, size, scheme, out) as lens:
                chat(lens, server.url)
                admin_pages(lens, server.url, token)
                if size == "desk":
                    versions(lens, server)
    for scheme in SCHEMES:
        with camera(browser, "desk", scheme, out) as lens:
            running(lens, server, token)


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
        yield Camera(context.new_page(), size, scheme, out)
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
    page.get_by_role("article", name=f"Question: {QUESTION}").evaluate("(turn) => turn.scrollIntoView()")
    lens.shoot("chat-rated")
    page.get_by_role("button", name="Receipt").click()
    page.get_by_role("region", name="Receipt").get_by_text(re.compile("ranks as it did|Rank then")).wait_for()
    page.get_by_role("region", name="Receipt").evaluate("(part) => part.scrollIntoView({block: 'center'})")
    lens.shoot("chat-receipt")
    page.get_by_role("button", name="The right place was…").click()
    page.get_by_role("dialog").get_by_role("listitem").first.wait_for()
    lens.shoot("chat-correction")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard").wait_for()
    lens.shoot("chat-keys")
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    page.get_by_text("You are offline").wait_for()
    lens.shoot("chat-offline")
    page.context.set_offline(False)


def settled(page: Page) -> None:
    """Wait until nothing says that it is loading."""
    page.get_by_role("status").filter(has_text=re.compile("^Loading")).first.wait_for(state="detached")


def admin_pages(lens: Camera, url: str, token: str) -> None:
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
        settled(page)
        lens.shoot(f"admin-{place}")
    page.goto(f"{url}/admin#data")
    page.get_by_role("list", name="Judgments").get_by_role("button", expanded=False).first.click()
    page.get_by_role("list", name="Why it exists").wait_for()
    lens.shoot("admin-judgment")
    page.goto(f"{url}/admin#data/pairs")
    page.get_by_role("table", name="Pairs").wait_for()
    lens.shoot("admin-pairs")


def versions(lens: Camera, server: Served) -> None:
    """The newest version, its job, its comparison with no reranking, and the two dialogs."""
    page, admin = lens.page, server.client(REVIEWER, admin=True)
    newest = admin.models().versions[0]
    page.goto(f"{server.url}/admin#versions/{newest.id}")
    page.get_by_role("button", name="Model card").wait_for()
    lens.shoot("admin-version")
    if newest.job_id is not None:
        page.goto(f"{server.url}/admin#jobs/{newest.job_id}")
        page.get_by_role("log").wait_for()
        lens.shoot("admin-job")
    page.goto(f"{server.url}/admin#versions/compare/0/{newest.id}")
    panel = page.get_by_role("region", name="Compare versions")
    panel.get_by_role("table").wait_for()
    lens.shoot("admin-compare")
    changed = panel.get_by_role("button", name=re.compile("^(won|lost)"))
    if changed.count() > 0:
        changed.first.click()
        panel.get_by_role("list", name="The right chunks").wait_for()
        changed.first.evaluate("(row) => row.scrollIntoView({block: 'start'})")
        lens.shoot("admin-rankings")
    page.goto(f"{server.url}/admin#versions")
    other = next(one for one in admin.models().versions if not one.champion)
    page.get_by_role("button", name=f"Promote version {other.id}", exact=True).click()
    page.get_by_role("dialog").get_by_role("table").wait_for()
    lens.shoot("admin-promote")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Roll back", exact=True).click()
    page.get_by_role("dialog").wait_for()
    lens.shoot("admin-roll-back")
    page.keyboard.press("Escape")


def running(lens: Camera, server: Served, token: str) -> None:
    """A nightly job on its way, cancelled once it has been photographed: last, so that no other picture shows that."""
    page, admin = lens.page, server.client(REVIEWER, admin=True)
    page.goto(f"{server.url}/admin")
    page.get_by_label("Admin token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()
    page.goto(f"{server.url}/admin#jobs")
    page.get_by_role("button", name="Train now").click()
    panel = page.get_by_role("region", name=re.compile(r"^Job \d+"))
    panel.get_by_text("Pairs read", exact=True).wait_for()
    lens.shoot("admin-job-running")
    job = int(page.url.rsplit("/", 1)[1])
    panel.get_by_role("button", name="Cancel").click()
    admin.wait(job, PATIENCE_S)


def say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
