"""The admin page: sign in, versions, promote, roll back, jobs, data, index."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from store import chunks, jobs, judgments, queries
from store.types import JobKind, JobState, Judgment, PairSource, Split, Version
from tests.browser.conftest import Complaints
from tests.browser.site import Site
from tests.browser.steps import QUESTION, ask, sources

TRAINER = "a browser test"


def open_page(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Admin").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def test_a_wrong_token_is_refused_in_words(page: Page, site: Site, complaints: Complaints) -> None:
    complaints.expected.append("401")
    page.goto(f"{site.url}/admin")
    page.get_by_label("Admin token").fill("not the token")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("token is not valid")


def test_signing_out_closes_the_page(admin: Page) -> None:
    admin.get_by_role("button", name="Sign out").click()
    expect(admin.get_by_label("Admin token")).to_be_visible()
    admin.reload()
    expect(admin.get_by_label("Admin token")).to_be_visible()


def test_promote_in_two_steps_then_roll_back(
    admin: Page, site: Site, versions: tuple[Version, Version], complaints: Complaints
) -> None:
    good, _ = versions
    open_page(admin, "Versions")
    admin.get_by_role("button", name=f"Promote version {good.id}", exact=True).click()
    dialog = admin.get_by_role("dialog")
    expect(dialog).to_contain_text("The gate is convinced")
    dialog.get_by_label("Reason").fill("It found the cron parser")
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog).to_contain_text(f"From now on every question is ranked by version {good.id}")
    dialog.get_by_role("button", name=f"Promote version {good.id}").click()
    expect(dialog).to_be_hidden()
    row = admin.get_by_role("row", name=re.compile(rf"^Version {good.id}\b"))
    expect(row).to_contain_text("serving")
    serving = row.get_by_role("button", name=f"Promote version {good.id}")
    expect(serving).to_have_attribute("aria-disabled", "true")
    expect(serving).to_have_accessible_description("It serves already.")

    chat = admin.context.new_page()
    complaints.listen(chat)
    chat.goto(site.url)
    expect(ask(chat, QUESTION)).to_contain_text(f"Ranked by version {good.id}")
    chat.close()

    admin.get_by_role("button", name="Roll back", exact=True).click()
    dialog = admin.get_by_role("dialog")
    go = dialog.get_by_role("button", name="Roll back to version 0")
    expect(go).to_be_disabled()
    dialog.get_by_label("Reason").fill("Only a rehearsal")
    go.click()
    expect(dialog).to_be_hidden()
    expect(admin.get_by_role("row", name=re.compile(r"^Version 0\b"))).to_contain_text("serving")
    open_page(admin, "Deployments")
    first = admin.get_by_role("row").nth(1)
    expect(first).to_contain_text("Rolled back")
    expect(first).to_contain_text("Only a rehearsal")
    assert site.admin("GET", "overview")["champion"]["version_id"] == 0


def test_promotion_against_the_gate_must_be_meant_and_is_marked(
    admin: Page, site: Site, versions: tuple[Version, Version]
) -> None:
    _, unsure = versions
    open_page(admin, "Versions")
    admin.get_by_role("button", name=f"Promote version {unsure.id}", exact=True).click()
    dialog = admin.get_by_role("dialog")
    expect(dialog).to_contain_text("The gate is not convinced")
    expect(dialog).to_contain_text("about 60 more judged queries would settle it")
    dialog.get_by_label("Reason").fill("Trying it out")
    expect(dialog.get_by_role("button", name="Continue")).to_be_disabled()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_role("button", name=f"Promote version {unsure.id}").click()
    expect(dialog).to_be_hidden()
    open_page(admin, "Deployments")
    expect(admin.get_by_role("row").nth(1)).to_contain_text("forced")
    site.admin("POST", "rollback", {"reason": "Back to where the tests began", "to": 0})


def test_two_versions_are_compared(admin: Page, versions: tuple[Version, Version]) -> None:
    good, unsure = versions
    open_page(admin, "Versions")
    admin.goto(f"{admin.url.partition('#')[0]}#versions/compare/{good.id}/{unsure.id}")
    panel = admin.get_by_role("region", name="Compare versions")
    expect(panel.get_by_label("First version")).to_have_value(str(good.id))
    expect(panel).to_contain_text("The gate is not convinced")


def test_a_job_is_followed_live_and_cancelled(admin: Page, site: Site) -> None:
    """The test plays the trainer: it claims the job that the page starts, and reports as a trainer does."""
    open_page(admin, "Jobs")
    admin.get_by_role("button", name="Train now").click()
    panel = admin.get_by_role("region", name=re.compile(r"^Job \d+"))
    expect(panel).to_contain_text("queued")
    now = datetime.now(UTC)
    with site.db() as db:
        job = jobs.claim(db, [JobKind.NIGHTLY], TRAINER, timedelta(minutes=5), now)
        assert job is not None
        with db.write() as tx:
            jobs.progress(tx, job.id, "finetune", 0.4)
            for step in range(1, 4):
                data = {
                    "step": step, "steps": 10, "loss": 1.0 / step, "learning_rate": 5e-5,
                    "pairs_per_second": 42.0, "seconds_left": 77.0,
                }  # fmt: skip
                jobs.event(tx, job.id, "training", data, now)
        expect(panel).to_contain_text("finetune · 40 %")
        expect(panel).to_contain_text("3 of 10")
        expect(panel).to_contain_text("77 s")
        expect(panel.get_by_role("img", name=re.compile("^Loss and learning rate over 3"))).to_be_visible()
        panel.get_by_role("button", name="Cancel").click()
        expect(panel.get_by_role("button", name="Stopping…")).to_be_visible()
        with db.write() as tx:
            jobs.finish(tx, job.id, JobState.CANCELLED, None, None, datetime.now(UTC), owner=TRAINER)
    expect(panel).to_contain_text("cancelled")


def test_the_schedule_is_changed_in_words(admin: Page, site: Site) -> None:
    open_page(admin, "Jobs")
    form = admin.get_by_role("region", name="Schedule")
    before = site.admin("GET", "schedule")["cron"]
    form.get_by_label("Train").select_option(label="Once a week")
    form.get_by_label("Day of the week").select_option(label="Thursday")
    form.get_by_label("At", exact=True).fill("04:15")
    form.get_by_role("button", name="Save schedule").click()
    times = form.get_by_role("list", name="Next three times").get_by_role("listitem")
    expect(times).to_have_count(3)
    expect(times.first).to_contain_text(re.compile(r"Thursday.*04:15"))
    assert site.admin("GET", "schedule")["cron"] == "15 4 * * thu"
    site.admin("PUT", "schedule", {"cron": before})


@pytest.mark.usefixtures("versions")
def test_every_page_opens(admin: Page) -> None:
    for name in ("Overview", "Versions", "Deployments", "Jobs", "Data", "Index"):
        open_page(admin, name)
        expect(admin.get_by_role("alert")).to_have_count(0)


def test_a_repository_is_added_indexed_again_and_removed(admin: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "greet.py").write_text("def greet(name):\n    return f'hello {name}'\n")
    open_page(admin, "Index")
    form = admin.get_by_role("form", name="Add a repository")
    form.get_by_label("Name").fill("greetings")
    form.get_by_label("Directory on the server's machine").fill(str(tmp_path))
    form.get_by_role("button", name="Add and index").click()
    entry = admin.get_by_role("listitem").filter(has=admin.get_by_role("heading", name="greetings", exact=True))
    expect(entry).to_contain_text("1 file")
    expect(entry).to_contain_text("Indexed just now")
    (tmp_path / "part.py").write_text("def part(name):\n    return f'goodbye {name}'\n")
    entry.get_by_role("button", name="Index greetings again").click()
    expect(entry).to_contain_text("2 files")
    entry.get_by_role("button", name="Remove greetings").click()
    admin.get_by_role("dialog").get_by_role("button", name="Remove from search").click()
    expect(admin.get_by_role("heading", name="greetings", exact=True)).to_have_count(0)
    assert [repo["name"] for repo in site.admin("GET", "repos")] == ["demo"]


def test_a_path_that_is_not_there_is_refused_in_words(admin: Page, complaints: Complaints) -> None:
    complaints.expected.append("422")
    open_page(admin, "Index")
    form = admin.get_by_role("form", name="Add a repository")
    form.get_by_label("Name").fill("ghost")
    form.get_by_label("Directory on the server's machine").fill("/no/such/folder")
    form.get_by_role("button", name="Add and index").click()
    expect(form.get_by_role("alert")).to_contain_text("/no/such/folder")


def test_beside_the_start_stands_what_the_next_night_waits_for(admin: Page) -> None:
    open_page(admin, "Jobs")
    expect(admin.get_by_text(re.compile(r"A night trains once 20 questions are newly judged"))).to_contain_text(
        "“Train now” does not wait for them"
    )
    expect(admin.get_by_role("button", name="Train now")).to_be_enabled()


def test_ratings_appear_on_the_overview(admin: Page, site: Site, complaints: Complaints) -> None:
    before = site.admin("GET", "overview")["counts"]["signals"].get("chunk_vote", 0)
    chat = admin.context.new_page()
    complaints.listen(chat)
    chat.goto(site.url)
    turn = ask(chat, QUESTION)
    sources(turn).first.get_by_role("button", name="Source 1 is right").click()
    expect(turn.get_by_text("Recorded.")).to_be_visible()
    chat.close()
    admin.reload()
    expect(admin.get_by_text(f"{before + 1} chunk vote")).to_be_visible()


def test_judgments_export_as_json_lines(admin: Page, site: Site) -> None:
    with site.db() as db:
        with db.write() as tx:
            digest = next(iter(chunks.hashes_in(tx, "demo")))
            spot = np.full(4, 0.5, np.float32)
            group = queries.add(tx, "which one?", spot, None, Split.TRAIN, datetime.now(UTC)).id
            vote = (PairSource.CHUNK_VOTE,)
            right = Judgment("j1", group, "which one?", digest, None, 1.0, 1.0, True, vote, ("a vote",), (), ("ann",))
            stale = replace(right, id="j2", query="which\nother?", relevance=0.0, retired=True)
            judgments.replace_all(tx, [right, stale])
        open_page(admin, "Data")
        expect(admin.get_by_role("list", name="Judgments").get_by_role("listitem").first).to_be_visible()
        assert [one["id"] for one in exported(admin)] == ["j2", "j1"]
        admin.get_by_label("State").select_option("In use")
        (line,) = exported(admin)
        assert (line["query"], line["relevance"], line["actors"]) == ("which one?", 1.0, ["ann"])
        assert line["text"]
        with db.write() as tx:
            judgments.replace_all(tx, [])


def exported(page: Page) -> list[dict[str, Any]]:
    with page.expect_download() as download:
        page.get_by_role("link", name="Export JSONL").click()
    return [json.loads(line) for line in Path(download.value.path()).read_text(encoding="utf-8").splitlines()]
