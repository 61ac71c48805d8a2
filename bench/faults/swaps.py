"""Promotions and roll-backs under steady traffic: does every answer's score belong to the version that it names?"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bench.faults.checks import Check, none_of
from bench.faults.site import Site, site
from bench.faults.world import World
from rankloop.client import Client
from server.schemas.asking import SearchResult
from store import registry
from store.database import Database
from store.errors import RankloopError
from store.loading import directory_of
from store.manifest import PROBE_TOLERANCE
from store.scorer import Scorer

RATE = 20.0
"""Requests a second, sent when they are due whether or not earlier ones have been answered."""
MINUTES, QUICK_MINUTES = 5.0, 0.25
SWAPS, QUICK_SWAPS = 50, 4
QUIET_S, QUICK_QUIET_S = 60.0, 10.0
ASKED, DEPTH = 12, 10
SENDERS = 32
ALLOWED = 2.0
"""Times the quiet p99."""


@dataclass(frozen=True, slots=True)
class Seen:
    due: float
    answered: float
    version: int
    scores: dict[int, float | None]
    """Chunk → ``rerank_score``."""
    query: str

    @property
    def seconds(self) -> float:
        """From when it was due: a request that had to wait for a sender has waited."""
        return self.answered - self.due


@dataclass(slots=True)
class Load:
    """``RATE`` searches a second for a stretch of time."""

    url: str
    queries: Sequence[str]
    seen: list[Seen] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    _clients: threading.local = field(default_factory=threading.local)

    def run(self, seconds: float) -> None:
        began, sent = time.monotonic(), []
        with ThreadPoolExecutor(SENDERS) as pool:
            for number in range(int(seconds * RATE)):
                due = began + number / RATE
                time.sleep(max(0.0, due - time.monotonic()))
                sent.append(pool.submit(self._ask, self.queries[number % len(self.queries)], due))
        for one in sent:
            one.result()  # what nobody expected is raised here

    def _ask(self, query: str, due: float) -> None:
        if not hasattr(self._clients, "one"):
            self._clients.one = Client(self.url, timeout=60.0)
        try:
            found: SearchResult = self._clients.one.search(query, top_k=DEPTH, depth=DEPTH, test=True)
        except RankloopError as error:
            self.failed.append(error.message)
            return
        self.texts.update({one.chunk_id: one.text for one in found.results})
        scores = {one.chunk_id: one.rerank_score for one in found.results}
        self.seen.append(Seen(due, time.monotonic(), found.model_version, scores, query))


def measure(world: World) -> list[Check]:
    swaps, minutes = world.size(SWAPS, QUICK_SWAPS), QUICK_MINUTES if world.quick else MINUTES
    queries = [question.query for question in world.corpus.questions[:ASKED]]
    settings = {**world.settings, "RANKLOOP_TRAINER": "false", "RANKLOOP_SCORE_CACHE": "0"}
    with site(world.copy("swaps"), settings) as served:
        admin = served.client("boss", admin=True)
        admin.promote(world.versions[0], "bench", force=True)
        load = Load(served.url, queries)
        load.run(QUICK_QUIET_S / 2)  # warm
        quiet, busy = Load(served.url, queries), Load(served.url, queries)
        quiet.run(QUICK_QUIET_S if world.quick else QUIET_S)
        windows: list[tuple[float, float]] = []
        refused: list[str] = []
        mover = threading.Thread(target=_move, args=(admin, world, swaps, minutes * 60, windows, refused))
        mover.start()
        busy.run(minutes * 60)
        mover.join(120)
        mixed, alike = _mixed(served, world, busy)
        return [*_checks(quiet, busy, windows, refused, mixed, swaps), alike]


def _move(
    admin: Client, world: World, swaps: int, seconds: float, windows: list[tuple[float, float]], refused: list[str]
) -> None:
    """Promote the other version, roll back, promote …: evenly over the stretch."""
    first, second = world.versions
    for number in range(swaps):
        time.sleep(seconds / (swaps + 1))
        began = time.monotonic()
        try:
            if number % 2 == 0:
                admin.promote(second, "bench", force=True)
            else:
                admin.rollback("bench", to=first)
        except RankloopError as error:
            refused.append(error.message)
        windows.append((began, time.monotonic()))


def _mixed(served: Site, world: World, load: Load) -> tuple[list[str], Check]:
    """Answers with a score that is not the one of the version they name; and whether a wrong one would be noticed."""
    db = Database.open(served.settings.database)
    found: list[str] = []
    truths: dict[int, dict[tuple[str, int], float]] = {}
    try:
        with db.read() as tx:
            versions = {number: registry.get(tx, number) for number in world.versions}
    finally:
        db.dispose()
    for number, version in versions.items():
        scorer = Scorer.load(directory_of(version, served.settings.models_dir), max_length=256)
        for query in load.queries:
            known = list(load.texts.items())
            logits = scorer.score(query, [text for _, text in known])
            truth = {chunk: float(logit) for (chunk, _), logit in zip(known, logits, strict=True)}
            truths.setdefault(number, {}).update({(query, chunk): logit for chunk, logit in truth.items()})
            mine = [one for one in load.seen if one.version == number and one.query == query]
            found += [f"{query!r} named version {number}" for one in mine if not _equal(one.scores, truth)]
    found += [f"{one.query!r} named version {one.version}" for one in load.seen if one.version not in versions]
    first, second = (truths[number] for number in world.versions)
    alike = sum(_close(first[pair], second[pair]) for pair in first)
    seen = f"{alike} of {len(first):,} pairs of question and chunk"
    return found, Check("scores that both versions share", "≤ 1 %", seen, 0 <= alike <= 0.01 * len(first))


def _equal(scores: dict[int, float | None], truth: dict[int, float]) -> bool:
    return bool(scores) and all(score is not None and _close(score, truth[chunk]) for chunk, score in scores.items())


def _close(score: float, truth: float) -> bool:
    return abs(score - truth) <= PROBE_TOLERANCE * max(1.0, abs(truth))


def _checks(
    quiet: Load, busy: Load, windows: list[tuple[float, float]], refused: list[str], mixed: list[str], swaps: int
) -> list[Check]:
    during = [one for one in busy.seen if any(one.due < end and one.answered > begin for begin, end in windows)]
    calm, hot = p99(quiet.seen), p99(during)
    ratio = hot / calm if calm else float("inf")
    taken = statistics.median(end - begin for begin, end in windows) if windows else 0.0
    counts = {number: sum(one.version == number for one in busy.seen) for number in {one.version for one in busy.seen}}
    shares = ", ".join(f"version {number} {count:,}" for number, count in sorted(counts.items()))
    return [
        none_of("swaps refused", refused, swaps, "swaps"),
        none_of("requests failed", [*quiet.failed, *busy.failed], len(quiet.seen) + len(busy.seen), "requests"),
        none_of("answers with scores of another version", mixed, len(busy.seen), f"answers ({shares})"),
        Check(
            "p99 during swaps",
            f"≤ {ALLOWED:.0f}× quiet",
            f"{ratio:.2f}×: {1000 * hot:.0f} ms of {len(during)}, quiet {1000 * calm:.0f} ms of {len(quiet.seen)}",
            ratio <= ALLOWED,
        ),
        Check("median swap, asked to answered", "–", f"{taken:.2f} s", None),
    ]


def p99(seen: Sequence[Seen]) -> float:
    """Seconds within which 99 of 100 were answered."""
    ordered = sorted(one.seconds for one in seen)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] if ordered else 0.0
