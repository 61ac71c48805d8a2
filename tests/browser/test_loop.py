"""The whole loop in a browser, with a real trainer: rate, watch the training, receipt, promote, judge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from store import registry, snapshots
from store.types import Decision
from tests.browser.conftest import WAIT_MS, Complaints
from tests.browser.night import JOB_MS, WATCHED, code, rate_all, sign_in, watch
from tests.browser.site import Site, running
from tests.browser.steps import ask, recorded, sources
from tests.browser.test_look import PHONE, grave, wider_than_window
from tests.integration.server.support import FakeModel, fake_model

DESK: ViewportSize = {"width": 1280, "height": 860}
Scheme = Literal["light", "dark"]
UNTIL_NARROW = """() => new Promise((done) => {
    const end = Date.now() + 5000, page = document.documentElement;
    const look = () => (page.scrollWidth <= page.clientWidth || Date.now() > end ? done() : setTimeout(look, 50));
    look();
})"""
"""Charts follow the window, a frame or more later."""


@pytest.fixture(scope="module")
def llm() -> Iterator[FakeModel]:
    with fake_model() as fake:
        fake.says = ["It is ", "here [1]."]
        yield fake


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory, llm: FakeModel) -> Iterator[Site]:
    """A server with its trainer: 64 functions, each asked for and voted on."""
    root = tmp_path_factory.mktemp("loop")
    settings = {
        "RANKLOOP_TRAINER": "true",
        "RANKLOOP_AUTO_PROMOTE": "false",
        "LLM_BASE_URL": llm.url,
        "LLM_MODEL": "fake",
        "OMP_NUM_THREADS": "1",
    }
    with running(root, files=(), extra=code(), settings=settings) as site:
        rate_all(site)
        yield site


@dataclass(frozen=True)
class Night:
    """A nightly job as its page showed it, and the visitor whose rating it learned from."""

    version: int
    progress: list[float]
    stages: list[str]
    log: str
    visitor: Path
    conversation: str


@pytest.fixture(scope="module")
def night(browser: Browser, loop: Site, tmp_path_factory: pytest.TempPathFactory) -> Night:
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    page = context.new_page()
    page.goto(loop.url)
    turn = ask(page, WATCHED)
    sources(turn).first.get_by_role("button", name="Source 1 is right").click()
    recorded(turn)
    conversation = page.url
    sign_in(page, loop)
    page.goto(f"{loop.url}/admin#jobs")
    page.get_by_role("button", name="Train now").click()
    panel = page.get_by_role("region", name=re.compile(r"^Job \d+"))
    progress, stages = watch(page, JOB_MS)
    expect(panel).to_contain_text("succeeded")
    log = panel.get_by_role("log").inner_text()
    state = tmp_path_factory.mktemp("visitor") / "state.json"
    context.storage_state(path=state)
    context.close()
    job = loop.admin("GET", "jobs?kind=nightly")["jobs"][0]
    return Night(job["result"]["version"], progress, stages, log, state, conversation)


@pytest.fixture
def office(page: Page, loop: Site) -> Page:
    """The loop's admin page, signed in."""
    sign_in(page, loop)
    return page


def test_a_running_job_moves_before_the_eyes(night: Night) -> None:
    assert len(set(night.progress)) >= 3
    assert night.progress == sorted(night.progress)
    assert any(stage.startswith("finetune") for stage in night.stages), night.stages
    for said in ("dataset", "finetune", "out of fold", "evaluate", "gate", "publish"):
        assert said in night.log, said


def test_the_receipt_names_the_version_that_learned_from_the_rating(
    browser: Browser, loop: Site, night: Night, complaints: Complaints
) -> None:
    context = browser.new_context(storage_state=night.visitor, locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    complaints.listen(page)
    page.goto(night.conversation)
    turn = page.get_by_role("article", name=f"Question: {WATCHED}")
    turn.get_by_role("button", name="Receipt").click()
    receipt = turn.get_by_role("region", name="Receipt")
    expect(receipt).to_contain_text(f"learned from: version {night.version}")
    meant = receipt.get_by_role("listitem").filter(has_text="voted the right chunk")
    expect(meant).to_contain_text(re.compile(r"\.py:\d+–\d+Relevant, weight"))
    expect(receipt).to_contain_text(
        re.compile(r"Search alone \(version 0\) still ranks as it did: .+\.py:\d+–\d+ at 1")
    )
    with loop.db() as db, db.read() as tx:
        data_set = snapshots.load(tx, str(registry.get(tx, night.version).snapshot_hash))
    assert WATCHED in {one.query for one in data_set.pairs} | {one.query for one in data_set.held_out}
    expect(receipt).to_contain_text(f"data set {data_set.hash[:10]}")
    context.close()


def test_an_answer_in_flight_keeps_its_version_while_another_is_promoted(
    page: Page, loop: Site, night: Night, llm: FakeModel
) -> None:
    llm.holding.clear()
    llm.go.clear()
    llm.hold_after = 1
    page.goto(loop.url)
    page.get_by_role("textbox", name="Question").fill("Where do we close a file?")
    page.keyboard.press("Enter")
    turn = page.get_by_role("article", name=re.compile("^Question: Where do we close"))
    assert llm.holding.wait(WAIT_MS / 1000), "the answer has begun"
    expect(turn).to_contain_text("It is")
    loop.admin("POST", f"models/{night.version}/promote", {"reason": "while somebody reads", "force": True})
    llm.hold_after = None
    llm.go.set()
    expect(turn).to_contain_text("Ranked by search alone, without a trained model (version 0)")
    after = ask(page, "Where do we close a path?")
    expect(after).to_contain_text(f"Ranked by version {night.version}")
    sources(turn).first.get_by_role("button", name="Source 1 is right").click()
    recorded(turn)
    turn.get_by_role("button", name="Receipt").click()
    ranks = turn.get_by_role("table", name=f"Rank then (version 0) and now (version {night.version})")
    expect(ranks.get_by_role("row").nth(1)).to_contain_text(re.compile(r"\.py:\d+–\d+1\d+"))
    loop.admin("POST", "rollback", {"reason": "as it was", "to": 0})


def test_a_roll_back_pauses_promotion_until_it_is_resumed_on_the_page(office: Page, loop: Site, night: Night) -> None:
    loop.admin("PUT", "schedule", {"auto_promote": True})
    loop.admin("POST", f"models/{night.version}/promote", {"reason": "for the test", "force": True})
    office.goto(f"{loop.url}/admin#deployments")
    office.reload()
    office.get_by_role("button", name="Roll back", exact=True).click()
    dialog = office.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Worse on tables")
    dialog.get_by_role("button", name="Roll back to version 0").click()
    expect(dialog).to_be_hidden()
    expect(office.get_by_role("row").nth(1)).to_contain_text("Worse on tables")
    assert loop.admin("GET", "overview")["champion"]["version_id"] == 0
    office.goto(f"{loop.url}/admin#jobs")
    office.get_by_role("button", name="Resume").click()
    expect(office.get_by_role("button", name="Resume")).to_have_count(0)
    assert loop.admin("GET", "schedule")["paused"] is False
    loop.admin("PUT", "schedule", {"auto_promote": False})


def test_a_judgment_is_vetoed_edited_and_undone(office: Page, loop: Site, night: Night) -> None:
    listed = loop.admin("GET", "judgments?actor=ann&limit=500")["judgments"]
    query = next(one["query"] for one in listed if one["relevance"] == 1.0)
    vetoed = f"judgments?search={query}&vetoed=true"
    office.goto(f"{loop.url}/admin#data")
    office.get_by_label("Question").fill(query)
    rows = office.get_by_role("list", name="Judgments").get_by_role("listitem").filter(has=office.get_by_text(query))
    expect(rows).to_have_count(loop.admin("GET", f"judgments?search={query}")["total"])
    expect(office.get_by_role("button", name="Veto")).to_have_count(rows.count())
    row = rows.first
    row.get_by_role("button", expanded=False).first.click()
    expect(row.get_by_role("list", name="Why it exists")).to_contain_text("ann: voted the right chunk")
    row.get_by_role("button", name="Veto").click()
    expect(row).to_contain_text("vetoed")
    assert loop.admin("GET", vetoed)["total"] == 1
    row.get_by_role("button", name="Undo").click()
    expect(row.get_by_role("button", name="Veto")).to_be_visible()
    assert loop.admin("GET", vetoed)["total"] == 0
    row.get_by_role("button", name="Edit").click()
    row.get_by_label(re.compile("^Relevance")).fill("0.25")
    row.get_by_label("Why (optional)").fill("only half of it")
    row.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("edited")
    expect(row).to_contain_text("not relevant 0.25")
    expect(row.get_by_role("list", name="Why it exists")).to_contain_text("only half of it")
    row.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("relevant 1.00")


def test_judgments_are_chosen_by_repository_and_person(office: Page, loop: Site, night: Night) -> None:
    office.goto(f"{loop.url}/admin#data")
    total = loop.admin("GET", "judgments?actor=ann")["total"]
    assert 0 < total < loop.admin("GET", "judgments")["total"]
    office.get_by_label("Person").select_option("ann")
    expect(office.get_by_text(f"of {total} judgments")).to_be_visible()
    office.get_by_label("Repository").select_option("demo")
    expect(office.get_by_text(f"of {total} judgments")).to_be_visible()
    with office.expect_download() as download:
        office.get_by_role("link", name="Export JSONL").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) == total


def test_the_pairs_of_a_version_are_listed_with_their_reasons(office: Page, loop: Site, night: Night) -> None:
    office.goto(f"{loop.url}/admin#versions/{night.version}")
    version = loop.admin("GET", f"models/{night.version}")
    office.get_by_role("link", name=version["snapshot_hash"][:12]).click()
    expect(office.get_by_text(f"Learned from by version {night.version}")).to_be_visible()
    table = office.get_by_role("table", name="Pairs")
    expect(table.get_by_role("row", name=re.compile("hard negative")).first).to_contain_text("that nobody judged right")
    office.get_by_label("Label").select_option("Right")
    expect(table.get_by_role("row", name=re.compile("hard negative"))).to_have_count(0)
    row = table.get_by_role("row", name=re.compile("chunk vote")).first
    expect(row).to_contain_text("voted the right chunk")
    row.get_by_role("button").click()
    expect(table.get_by_role("region", name=re.compile("^Code of")).first).to_contain_text("def ")
    with office.expect_download() as download:
        office.get_by_role("link", name="Export JSONL").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) == loop.admin("GET", f"pairs?data_set={version['snapshot_hash']}&relevant=true")["total"]


def test_what_the_gate_needs_is_said_where_the_data_is(office: Page, loop: Site, night: Night) -> None:
    office.goto(f"{loop.url}/admin#data")
    need = loop.admin("GET", "overview")["gate"]
    part = office.get_by_role("region", name="What the gate needs")
    for sentence in need["says"]:
        expect(part).to_contain_text(sentence)
    expect(part).to_contain_text(f"{need['usable']} judged question")


def test_a_comparison_opens_both_rankings_with_the_right_chunks_marked(office: Page, loop: Site, night: Night) -> None:
    found = loop.admin("GET", f"models/compare?a=0&b={night.version}")
    office.goto(f"{loop.url}/admin#versions/compare/0/{night.version}")
    panel = office.get_by_role("region", name="Compare versions")
    expect(panel.get_by_role("table")).to_be_visible()
    decision = loop.admin("GET", f"models/{night.version}")["decision"]
    assert decision in {one.value for one in Decision}
    changed = [one for one in found["queries"] if one["right"]]
    assert changed, "training moves something"
    panel.get_by_role("button", name=re.compile(re.escape(changed[0]["query"]))).first.click()
    said = panel.get_by_role("list", name="The right chunks").get_by_role("listitem").first
    place, first = changed[0]["right"][0], changed[0]["right"][0]["rank_a"]
    expect(said).to_contain_text(place["path"])
    expect(said).to_contain_text("not among the first ten" if first is None else f"Version 0: rank {first}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_full_of_data_have_no_serious_fault(office: Page, loop: Site, night: Night, scheme: Scheme) -> None:
    office.emulate_media(color_scheme=scheme)
    job = loop.admin("GET", "jobs?kind=nightly")["jobs"][0]["id"]
    judgment = office.get_by_role("list", name="Judgments").get_by_role("button", expanded=False).first
    ranking = office.get_by_role("button", name=re.compile("^(won|lost)")).first
    pair = office.get_by_role("table", name="Pairs").get_by_role("button", expanded=False).first
    places = {
        "overview": None, "data": judgment, "data/pairs": pair, f"versions/compare/0/{night.version}": ranking,
        f"versions/{night.version}": office.get_by_role("button", name="Model card"), f"jobs/{job}": None,
    }  # fmt: skip
    for place, button in places.items():
        office.set_viewport_size(DESK)
        office.goto(f"{loop.url}/admin#{place}")
        if button is not None:
            button.click()
        expect(office.get_by_role("status").filter(has_text="Loading")).to_have_count(0)
        assert grave(office) == [], place
        office.set_viewport_size(PHONE)  # type: ignore[arg-type]
        office.evaluate(UNTIL_NARROW)
        assert wider_than_window(office) == 0, place
