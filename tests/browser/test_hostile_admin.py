"""Judgments, pairs, reasons, notes, people and model cards are shown as text on the admin page, whatever they hold."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from store import evaluations, judgments, queries, registry, snapshots, tables, texts
from store.evaluations import EvalRow
from store.registry import VersionDraft
from store.types import Blend, Decision, EvalQuery, Judgment, Pair, PairSource, Split, Version
from tests import tiny
from tests.browser.hostile import PAYLOADS
from tests.browser.site import TOKEN, Site, running
from tests.browser.test_hostile import nothing_ran

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Version]]:
    """Every payload is a question, a code, a reason, a person, a note and a line of a model card."""
    with running(tmp_path_factory.mktemp("poisoned"), files=("store/cron.py",)) as site:
        yield site, poison(site)


def poison(site: Site) -> Version:
    with site.db() as db:
        with db.write() as tx:
            texts.put(tx, {texts.content_hash(text): text for text in PAYLOADS})
            spot = np.full(4, 0.5, np.float32)
            groups = [queries.add(tx, text, spot, None, Split.TRAIN, NOW).id for text in PAYLOADS]
            made = [
                Judgment(
                    f"j{number:04d}", groups[number], text, texts.content_hash(text), None, 1.0, 1.0, True,
                    (PairSource.CHUNK_VOTE,), (f"{text}: voted",), (), (text[:200],),
                )
                for number, text in enumerate(PAYLOADS)
            ]  # fmt: skip
            judgments.replace_all(tx, made)
            for one in made:
                judgments.override(tx, one.id, "veto", None, one.query[:200], one.query, NOW)
            pairs = [
                Pair(one.group_id, one.query, one.content_hash, 1.0, 1.0, PairSource.CHUNK_VOTE, reason=one.query)
                for one in made
            ]
            lists = [
                EvalQuery(
                    one.group_id, one.query, Split.TRAIN, (one.content_hash,), (0.0,), (0.0,), {one.content_hash: 1.0}
                )
                for one in made
            ]
            data_set = snapshots.save(tx, snapshots.make(pairs, lists, [], {}, {}, NOW), [])
        version = publish(site, data_set)
        with db.write() as tx:
            rows = [
                EvalRow(arm, "held_out", one.group_id, one.query, {"ndcg@10": value}, (one.content_hash,))
                for arm, value in (("no_rerank", 0.1), ("challenger", 0.9))
                for one in made
            ]
            evaluations.save(tx, version.id, rows)
            entry = {"at": NOW, "action": "promote", "from_version": 0, "to_version": 0, "forced": True}
            tx.execute(
                insert(tables.deployments),
                [
                    {**entry, "actor": text[:200], "reason": text, "generation": 1000 + number}
                    for number, text in enumerate(PAYLOADS)
                ],
            )
        return version


def publish(site: Site, data_set: str) -> Version:
    models = site.data / "models"
    with site.db() as db:
        staged = registry.staging(models, 800_000)
        shutil.rmtree(staged, ignore_errors=True)
        tiny.cross_encoder(staged, seed=5)
        (staged / "README.md").write_text("\n\n".join(("# A card", *PAYLOADS)), encoding="utf-8")
        draft = VersionDraft(
            name=PAYLOADS[0],
            base=PAYLOADS[1],
            blend=Blend(1.0, 0.1, 0.05),
            max_length=256,
            metrics={"against": {"version": 0}, "notes": list(PAYLOADS)},
            decision=Decision.NOT_PROVEN,
            reasons=PAYLOADS,
            snapshot_hash=data_set,
        )
        return registry.publish(db, models, staged, draft, NOW)


@pytest.fixture
def office(page: Page, poisoned: tuple[Site, Version]) -> Page:
    page.goto(f"{poisoned[0].url}/admin")
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    nothing_ran(page)
    return page


def test_judgments(office: Page, poisoned: tuple[Site, Version]) -> None:
    office.goto(f"{poisoned[0].url}/admin#data")
    rows = office.get_by_role("list", name="Judgments").locator("> li")
    seen = 0
    while seen < len(PAYLOADS):
        expect(rows.first).to_be_visible()
        seen += rows.count()
        for row in rows.all():
            row.get_by_role("button", expanded=False).first.click()
        expect(office.get_by_role("list", name="Why it exists")).to_have_count(rows.count())
        nothing_ran(office)
        if seen < len(PAYLOADS):
            office.get_by_role("button", name="Next").click()
            expect(office.get_by_role("status").filter(has_text=f"{seen + 1}–")).to_be_visible()
            office.wait_for_timeout(300)
    assert seen == len(PAYLOADS)


def test_pairs(office: Page, poisoned: tuple[Site, Version]) -> None:
    office.goto(f"{poisoned[0].url}/admin#data/pairs")
    table = office.get_by_role("table", name="Pairs")
    expect(table).to_contain_text("<script>")
    for button in reversed(table.get_by_role("button", expanded=False).all()):
        button.click()
    nothing_ran(office)


def test_versions_cards_comparisons_and_the_ledger(office: Page, poisoned: tuple[Site, Version]) -> None:
    site, version = poisoned
    office.goto(f"{site.url}/admin#versions/{version.id}")
    office.get_by_role("button", name="Model card").click()
    expect(office.get_by_text("A card", exact=True)).to_be_visible()
    nothing_ran(office)
    office.goto(f"{site.url}/admin#versions/compare/0/{version.id}")
    panel = office.get_by_role("region", name="Compare versions")
    won = panel.get_by_role("button", name=re.compile("^won"))
    expect(won.first).to_be_visible()
    for button in reversed(won.all()):
        button.click()
    expect(panel.get_by_role("list", name="The right chunks")).to_have_count(won.count())
    nothing_ran(office)
    office.goto(f"{site.url}/admin#deployments")
    expect(office.get_by_role("row").nth(1)).to_contain_text("forced")
    nothing_ran(office)


def test_the_export_holds_them_unchanged(office: Page, poisoned: tuple[Site, Version]) -> None:
    office.goto(f"{poisoned[0].url}/admin#data")
    with office.expect_download() as download:
        office.get_by_role("link", name="Export JSONL").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert len(text.splitlines()) == len(PAYLOADS)
