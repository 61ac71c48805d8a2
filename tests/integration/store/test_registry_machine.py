"""The registry under any order of publishing, promoting, rolling back, crashing and sweeping."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from store import deployments, manifest, registry
from store.database import Database
from store.errors import Conflict
from store.published import check_files
from store.registry import VersionDraft
from store.types import FIRST_STAGE_VERSION, Blend, Deployment, DeploymentAction
from tests.integration.store.learning import NOW, open_database

BLEND = Blend(dense=1.0, lexical=0.1, rerank=0.5)


class Crash(BaseException):
    """Stands for the power going out."""


class Machine(RuleBasedStateMachine):
    """What the registry promises, against a model of it: the list of moves that were acknowledged."""

    trained: Path
    probes: tuple[manifest.Probe, ...]
    done: list[tuple[int, int]]
    """Versions and ledger entries of each run."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="registry-"))
        self.models = self.folder / "models"
        self.db: Database = open_database(self.folder)
        with self.db.write() as tx:
            registry.ensure_first_stage(tx, 0.1, NOW)
        self.seen = self.ledger()
        self.published = {FIRST_STAGE_VERSION}
        self.tries = 0

    def teardown(self) -> None:
        self.done.append((len(self.published), len(self.seen)))
        self.db.dispose()
        shutil.rmtree(self.folder)

    def ledger(self) -> list[Deployment]:
        """Oldest first."""
        with self.db.read() as tx:
            return deployments.ledger(tx, limit=10_000)[::-1]

    def stage(self) -> tuple[Path, VersionDraft]:
        self.tries += 1
        staged = registry.staging(self.models, f"try-{self.tries}")
        shutil.copytree(self.trained, staged, dirs_exist_ok=True)
        (staged / "README.md").write_text(f"# try {self.tries}\n")
        return staged, VersionDraft(f"try {self.tries}", "tiny", BLEND, 256, probes=self.probes)

    @rule()
    def publish(self) -> None:
        staged, draft = self.stage()
        self.published.add(registry.publish(self.db, self.models, staged, draft, NOW).id)

    @rule(step=st.integers(1, 40))
    def publish_until_the_power_goes_out(self, step: int) -> None:
        staged, draft = self.stage()
        with _crashing(step), suppress(Crash):
            self.published.add(registry.publish(self.db, self.models, staged, draft, NOW).id)

    @rule(data=st.data(), forced=st.booleans())
    def promote(self, data: st.DataObject, forced: bool) -> None:
        self.move(data, lambda tx, to: deployments.promote(tx, to, "ann", "better", NOW, forced=forced))

    @rule(data=st.data())
    def roll_back_to(self, data: st.DataObject) -> None:
        self.move(data, lambda tx, to: deployments.rollback(tx, "ann", "worse", NOW, to=to))

    @rule()
    def roll_back(self) -> None:
        with self.db.read() as tx:
            expected = deployments.rollback_target(tx)
        try:
            with self.db.write() as tx:
                made = deployments.rollback(tx, "ann", "worse", NOW)
        except Conflict:
            assert expected is None
        else:
            assert made.to_version == expected

    @rule(data=st.data())
    def promote_until_the_power_goes_out(self, data: st.DataObject) -> None:
        """Pointer and ledger move in one transaction: neither without the other."""
        to = data.draw(st.sampled_from(sorted(self.published)))
        try:
            with self.db.write() as tx:
                deployments.promote(tx, to, "ann", "better", NOW)
                raise Crash
        except (Crash, Conflict):
            pass
        assert self.ledger() == self.seen

    @rule()
    def take_back_what_did_not_load(self) -> None:
        last = self.seen[-1]
        with self.db.write() as tx:
            made = deployments.compensate(tx, last, "it did not load", NOW)
        undoable = last.action in (DeploymentAction.PROMOTE, DeploymentAction.ROLLBACK)
        assert (made is not None) == undoable
        if made is not None:
            assert made.to_version == last.from_version

    @rule()
    def sweep(self) -> None:
        registry.sweep(self.db, self.models)
        if self.models.is_dir():
            with self.db.read() as tx:
                named = {version.path for version in registry.list_all(tx, limit=10_000) if version.path}
            assert {path.name for path in self.models.iterdir()} - {".staging"} == named

    def move(self, data: st.DataObject, act: Callable[[Any, int], Deployment]) -> None:
        to = data.draw(st.sampled_from(sorted(self.published)))
        try:
            with self.db.write() as tx:
                made = act(tx, to)
        except Conflict:
            return
        assert made.to_version == to

    @invariant()
    def exactly_one_champion_and_its_directory_is_sound(self) -> None:
        with self.db.read() as tx:
            versions = registry.list_all(tx, limit=10_000)
            champion = deployments.champion(tx)
        serving = [version for version in versions if version.champion]
        assert [version.id for version in serving] == [champion.version_id]
        assert {version.id for version in versions} == self.published
        if serving[0].path is not None:
            check_files(serving[0], self.models)

    @invariant()
    def the_ledger_is_appended_to_and_leads_to_the_champion(self) -> None:
        ledger = self.ledger()
        assert ledger[: len(self.seen)] == self.seen
        assert [entry.generation for entry in ledger] == list(range(1, len(ledger) + 1))
        assert ledger[0].action is DeploymentAction.INITIAL
        for before, after in pairwise(ledger):
            assert after.from_version == before.to_version
        with self.db.read() as tx:
            champion = deployments.champion(tx)
        assert (champion.version_id, champion.generation) == (ledger[-1].to_version, ledger[-1].generation)
        self.seen = ledger


class _crashing:  # noqa: N801 - used as a with statement
    """The ``at``-th of the steps that touch the disk does not return."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.patches = [
            patch.object(owner, name, self._counted(getattr(owner, name)))
            for owner, name in ((os, "fsync"), (os, "rename"), (registry, "_insert"), (registry, "get"))
        ]

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise Crash
            return function(*args, **kwargs)

        return counted

    def __enter__(self) -> None:
        for one in self.patches:
            one.start()

    def __exit__(self, *_: object) -> None:
        for one in self.patches:
            one.stop()


def test_whatever_happens_the_registry_keeps_its_promises(
    trained: Path, probes: tuple[manifest.Probe, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "verify_in_fresh_process", manifest.verify)
    machine = type("Registry", (Machine,), {"trained": trained, "probes": probes, "done": []})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    published, entries = (max(one) for one in zip(*vars(machine)["done"], strict=True))
    assert min(published, entries) > 2, "versions were published and the pointer was moved"
