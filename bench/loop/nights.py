"""The rankloop arm: ask, rate, nightly job and promotion over HTTP, night after night, on its own data directory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.corpus import Question
from bench.harness import Served, served
from bench.loop.cells import FOLDS, NIGHTS, Cell, Key, Night, halves, night_of
from bench.loop.made import numbers
from bench.loop.people import ask_and_rate
from bench.loop.person import Model
from bench.loop.scoring import Rank, agreement, fast, orders, paraphrased, ranks
from bench.loop.world import DEPTH, QUIET, REPO, World
from server.schemas.jobs import JobView
from store import deployments, registry
from store.database import Database
from store.errors import RankloopError
from store.loading import LoadedVersion, load_version
from store.published import directory_of
from store.settings import Settings
from store.types import FIRST_STAGE_VERSION, Decision, JobState
from trainer.features import FeatureStore

ALWAYS, OBEYED = "rankloop-always", "rankloop-gate"
CHECKED = 50
"""Queries whose scores over HTTP are compared with the cached path."""
_JOB_S = 3600.0


@dataclass(frozen=True, slots=True)
class Loop:
    """One whole loop: who asks what, and what is done with a challenger."""

    world: World
    features: FeatureStore
    key: Key
    seed: int
    model: Model
    asked: Sequence[Question]
    unseen: Sequence[Question]
    nights: int = NIGHTS

    @property
    def always(self) -> bool:
        return self.key.arm == ALWAYS

    def run(self) -> Cell:
        """All nights; evaluation after each, on a stopped server."""
        data = self._start()
        given = (data / "features").exists()
        done: list[Night] = [night_of(json.loads(line)) for line in _lines(data)]
        check: dict[str, list[tuple[int, float]]] = {}
        for number in range(1, self.nights + 1):
            if number <= len(done):
                continue
            last = number == self.nights
            log = self.world.root / f"{self.key.name}.log"
            with served(data, log, QUIET) as server:
                if number == 2 and done:
                    self._promote(server, done[0])
                did = ask_and_rate(server, self.asked, self.model, self.seed, number)
                job = nightly(server, self.seed)
                night = night_from(number, len(self.asked), job, server, did.as_json())
                if number > 1 or self.nights == 1:
                    self._promote(server, night)
                if last and self.always and self.key.fold == FOLDS[0]:
                    check = over_http(server, self.unseen[:CHECKED])
            done.append(night)
            if number == 1 and self.nights > 1:
                self._keep(data, night)
        self.world.keep_features(data)
        cell = self._evaluate(data, done, check)
        return replace(cell, notes={**cell.notes, "features_of_earlier_cells": given})

    # The first night is the same whether or not the gate is obeyed: it is kept, and both arms start from a copy, unless
    # other numbers made it.

    def _first(self) -> Path:
        name = f"night1-{self.key.wrong:02d}-{self.key.fold}-seed{self.seed:02d}-{numbers(self.key.arm)}"
        return self.world.root / "cells" / name

    def _start(self) -> Path:
        first = self._first()
        kept = (first / _FILE).exists() and self.nights > 1
        return self.world.copy_to(self.key.name, first if kept else None)

    def _keep(self, data: Path, night: Night) -> None:
        (data / _FILE).write_text(json.dumps(asdict(night)) + "\n", encoding="utf-8")
        self.world.copy_to(self._first().name, data)

    def _promote(self, server: Served, night: Night) -> None:
        proven = night.decision == Decision.PROMOTE
        if night.version is not None and (proven or self.always):
            reason = "bench: the gate says promote" if proven else "bench: promoted whatever the gate says"
            server.client("bench", admin=True).promote(night.version, reason, force=not proven)

    def _evaluate(self, data: Path, done: Sequence[Night], check: dict[str, list[tuple[int, float]]]) -> Cell:
        current: int = FIRST_STAGE_VERSION
        nights: list[Night] = []
        unseen: list[Rank] = ranks(self.world, self.unseen, load(data, current, self.features))
        for night in done:
            promoted = night.version is not None and (self.always or night.decision == Decision.PROMOTE)
            if promoted and night.version is not None:
                current = night.version
                unseen = ranks(self.world, self.unseen, load(data, current, self.features))
            nights.append(replace(night, promoted=promoted, unseen=tuple(unseen)))
        expect_champion(data, current)
        final = load(data, current, self.features)
        found = {
            "unseen": tuple(unseen),
            "paraphrased": tuple(ranks(self.world, paraphrased(self.world, self.asked), final)),
            "asked_again": tuple(ranks(self.world, self.asked, final)),
        }
        notes = {
            "http_queries_compared": len(check),
            "http_largest_difference": agreement(self.world, check, final) if check else None,
            "served_version": current,
        }
        return Cell(
            key=self.key,
            seed=self.seed,
            queries=len(self.asked) + len(self.unseen),
            ranks=found,
            nights=tuple(nights),
            pairs=nights[-1].pairs,
            training_seconds=sum(night.training_seconds for night in nights),
            weight=final.blend.rerank,
            orders=orders(self.world, self.unseen, final),
            depth=self.world.depth,
            notes=notes,
        )


_FILE = "night.json"


def _lines(data: Path) -> list[str]:
    file = data / _FILE
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def loop(world: World, features: FeatureStore, key: Key, seed: int) -> Loop:
    """The loop of one cell of the table."""
    asked, unseen = halves(world.corpus.questions, key.fold, seed)
    return Loop(world, features, key, seed, Model(wrong=key.wrong / 100), asked, unseen)


def nightly(server: Served, seed: int) -> JobView:
    """The nightly job, asked for and waited for over HTTP. Raises RankloopError unless it succeeds."""
    admin = server.client("bench", admin=True)
    job = admin.wait(admin.start_job("nightly", seed=seed), _JOB_S)
    if job.state is not JobState.SUCCEEDED:
        raise RankloopError(f"the nightly job ended as {job.state}: {job.error}")
    return job


def night_from(number: int, asked: int, job: JobView, server: Served, did: dict[str, int]) -> Night:
    result = job.result or {}
    version = result.get("version")
    metrics = {} if version is None else server.client("bench", admin=True).model(version).metrics
    training = metrics.get("training", {})
    seconds = 0.0
    if job.finished_at is not None and job.started_at is not None:
        seconds = (job.finished_at - job.started_at).total_seconds()
    return Night(
        night=number,
        asked=asked,
        decision=result.get("decision"),
        version=version,
        promoted=False,
        reasons=tuple(result.get("reasons") or ()),
        pairs=int(training.get("pairs", 0)),
        training_seconds=float(training.get("seconds", 0.0)),
        job_seconds=seconds,
        did=did,
        unseen=(),
    )


def over_http(server: Served, questions: Sequence[Question]) -> dict[str, list[tuple[int, float]]]:
    """Full lists as the server ranks them: query → (chunk id, final score), best first."""
    with server.client("bench") as client:
        found = {
            one.query: client.search(one.query, repo=REPO, top_k=DEPTH, depth=DEPTH, test=True).results
            for one in questions
        }
    return {query: [(row.chunk_id, row.final_score) for row in rows] for query, rows in found.items()}


def load(data: Path, version_id: int, features: FeatureStore) -> LoadedVersion:
    """A registered version of a data directory, loaded as its server loads it."""
    settings = Settings(data=data)
    db = Database.open(settings.database)
    try:
        with db.read() as tx:
            version = registry.get(tx, version_id)
    finally:
        db.dispose()
    loaded = load_version(version, settings.models_dir)
    if loaded.scorer is None:
        return loaded
    return fast(loaded, directory_of(version, settings.models_dir), features)


def expect_champion(data: Path, version_id: int) -> None:
    """Raises RankloopError where another version serves."""
    db = Database.open(Settings(data=data).database)
    try:
        with db.read() as tx:
            champion = deployments.champion(tx).version_id
    finally:
        db.dispose()
    if champion != version_id:
        raise RankloopError(f"version {champion} serves where {version_id} should")
