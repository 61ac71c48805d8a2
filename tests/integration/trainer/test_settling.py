"""Nightly jobs that are cancelled, killed or overtaken, and what they may still promote."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import pytest

from store import deployments, jobs, registry
from store.types import FIRST_STAGE_VERSION, Decision, JobState
from tests.integration.trainer.code_world import START
from tests.integration.trainer.shop import FEW_STEPS, Shop, publish_for, result_of


def test_a_cancelled_job_ends_soon_and_leaves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.worker.BEAT_SECONDS", 0.05)
    job = shop.enqueue({"recipe": "seed"})
    thread = Thread(target=shop.worker().run_one)
    thread.start()
    while shop.job(job.id).stage != "finetune" and thread.is_alive():
        Event().wait(0.01)
    with shop.db.write() as tx:
        jobs.request_cancel(tx, job.id, START)
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert shop.job(job.id).state is JobState.CANCELLED
    with shop.db.read() as tx:
        assert [version.id for version in registry.list_all(tx)] == [FIRST_STAGE_VERSION]
    registry.sweep(shop.db, shop.settings.models_dir)
    assert not [path for path in shop.settings.models_dir.rglob("*") if path.is_file()]


def test_a_job_of_an_ending_process_is_taken_up_again(shop: Shop) -> None:
    job = shop.enqueue(FEW_STEPS)
    shop.stop.set()
    shop.worker().run_one()
    assert shop.job(job.id).state is JobState.QUEUED
    shop.stop.clear()
    shop.worker().run_one()
    assert shop.job(job.id).state is JobState.SUCCEEDED


@pytest.mark.parametrize("decision", [Decision.PROMOTE, Decision.NOT_PROVEN])
def test_a_job_killed_after_publishing_settles_what_it_published(shop: Shop, base: Path, decision: Decision) -> None:
    job = shop.enqueue()
    version = publish_for(shop, job, decision, base)
    shop.worker().run_one()
    result = result_of(shop.job(job.id))
    assert result["version"] == version
    assert result["promoted"] is (decision is Decision.PROMOTE)
    assert shop.champion() == (version if decision is Decision.PROMOTE else FIRST_STAGE_VERSION)


def test_a_rollback_pauses_automatic_promotion(shop: Shop, base: Path) -> None:
    with shop.db.write() as tx:
        deployments.set_auto_promote(tx, False)
    job = shop.enqueue()
    publish_for(shop, job, Decision.PROMOTE, base)
    shop.worker().run_one()
    assert result_of(shop.job(job.id))["promoted"] is False
    assert shop.champion() == FIRST_STAGE_VERSION


def test_a_champion_that_changed_meanwhile_is_not_overrun(shop: Shop, base: Path) -> None:
    first, second = shop.enqueue(), shop.enqueue()
    one = publish_for(shop, first, Decision.NOT_PROVEN, base)
    publish_for(shop, second, Decision.PROMOTE, base)
    with shop.db.write() as tx:
        deployments.promote(tx, one, "ann", "meanwhile", START, forced=True)
    worker = shop.worker()
    worker.run_one()
    worker.run_one()
    result = result_of(shop.job(second.id))
    assert result["promoted"] is False
    assert "changed meanwhile" in result["promotion"]
    assert shop.champion() == one
