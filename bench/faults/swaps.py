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
from store.manifest import PROBE_TOLERANCE
from store.published import directory_of
from store.scorer import Scorer
from store.types import Blend

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
class Scored:
    """What an answer says of one chunk."""

    dense: float
    lexical: float
    rerank: float | None
    final: float


@dataclass(frozen=True, slots=True)
class Seen:
    due: float
    answered: float
    version: int
    scores: dict[int, Scored]
    """By chunk."""
    query: str

    @property
    def seconds(self) -> float:
        """From when it was due: a request that had to wait for a sender has waited."""
        return self.answered - self.due


@dataclass(frozen=True, slots=True)
class Truth:
    """What a version gives outside the server."""

    blend: Blend
    logits: dict[tuple[str, int], float]
    """By question and chunk."""

    def gives(self, seen: Seen, blend: Blend | None = None) -> bool:
        """Whether every score of the answer is this version's; ``blend``: with this one instead of its own."""
        return bool(seen.scores) and all(
            one.rerank is not None
            and close(one.rerank, logit := self.logits[seen.query, chunk])
            and close(one.final, final_of(blend or self.blend, one, logit))
            for chunk, one in seen.scores.items()
        )


@dataclass(slots=True)
class Moves:
    """What the mover has done."""

    windows: list[tuple[float, float]] = field(default_factory=list)
    """From asked to acknowledged, of the moves that went through."""
    refused: list[str] = field(default_factory=list)
    ended: bool = False


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
        scores = {
            one.chunk_id: Scored(one.dense_score, one.lexical_score, one.rerank_score, one.final_score)
            for one in found.results
        }
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
        moves = Moves()
        mover = threading.Thread(target=_move, args=(admin, world, swaps, minutes * 60, moves), daemon=True)
        mover.start()
        busy.run(minutes * 60)
        mover.join(120)
        truths = _truths(served, world, busy)
        return [*_moved(moves, busy, world, swaps), *_pure(truths, busy), *_quick(quiet, busy, moves)]


def _move(admin: Client, world: World, swaps: int, seconds: float, moves: Moves) -> None:
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
            moves.refused.append(error.message)
        else:
            moves.windows.append((began, time.monotonic()))
    moves.ended = True


def _truths(served: Site, world: World, load: Load) -> dict[int, Truth]:
    db = Database.open(served.settings.database)
    try:
        with db.read() as tx:
            versions = {number: registry.get(tx, number) for number in world.versions}
    finally:
        db.dispose()
    found, known = {}, list(load.texts.items())
    for number, version in versions.items():
        scorer = Scorer.load(directory_of(version, served.settings.models_dir), max_length=256)
        logits: dict[tuple[str, int], float] = {}
        for query in load.queries:
            scores = scorer.score(query, [text for _, text in known])
            logits.update({(query, chunk): float(score) for (chunk, _), score in zip(known, scores, strict=True)})
        found[number] = Truth(version.blend, logits)
    return found


def final_of(blend: Blend, one: Scored, logit: float) -> float:
    """``final_score`` by the blend's formula."""
    return blend.dense * one.dense + blend.lexical * one.lexical + blend.rerank * logit


def close(score: float, truth: float) -> bool:
    return abs(score - truth) <= PROBE_TOLERANCE * max(1.0, abs(truth))


def _moved(moves: Moves, busy: Load, world: World, swaps: int) -> list[Check]:
    """That both versions have served, in turn, as often as was wanted."""
    counts = {number: sum(one.version == number for one in busy.seen) for number in world.versions}
    shares = ", ".join(f"version {number} {count:,}" for number, count in counts.items())
    late = "" if moves.ended else "; the mover has not come to its end"
    return [
        Check(
            "swaps",
            str(swaps),
            f"{len(moves.windows)}{late}",
            moves.ended and len(moves.windows) == swaps,
        ),
        none_of("swaps refused", moves.refused, swaps, "swaps"),
        Check("answers of each version", "some", shares, all(counts.values())),
    ]


def _pure(truths: dict[int, Truth], load: Load) -> list[Check]:
    """Answers with scores that are not those of the version they name; and whether wrong ones would be noticed."""
    first, second = truths.values()
    other = {number: (second if truth is first else first) for number, truth in truths.items()}
    mixed = [
        f"{one.query!r} named version {one.version}"
        for one in load.seen
        if one.version not in truths or not truths[one.version].gives(one)
    ]
    known = [one for one in load.seen if one.version in truths]
    model = sum(other[one.version].gives(one, truths[one.version].blend) for one in known)
    blend = sum(truths[one.version].gives(one, other[one.version].blend) for one in known)
    return [
        none_of("answers with a rerank_score or final_score of another version", mixed, len(load.seen), "answers"),
        Check(
            "answers that the other version's model, or its blend alone, would give too",
            "0",
            f"{model} and {blend} of {len(known):,} answers",
            bool(known) and model == blend == 0,
        ),
    ]


def _quick(quiet: Load, busy: Load, moves: Moves) -> list[Check]:
    during = [one for one in busy.seen if any(one.due < end and one.answered > begin for begin, end in moves.windows)]
    calm, hot = p99(quiet.seen), p99(during)
    ratio = hot / calm if calm else float("inf")
    taken = statistics.median(end - begin for begin, end in moves.windows) if moves.windows else 0.0
    return [
        none_of("requests failed", [*quiet.failed, *busy.failed], len(quiet.seen) + len(busy.seen), "requests"),
        Check(
            "p99 during swaps",
            f"≤ {ALLOWED:.0f}× quiet",
            f"{ratio:.2f}×: {1000 * hot:.0f} ms of {len(during)}, quiet {1000 * calm:.0f} ms of {len(quiet.seen)}",
            bool(during) and ratio <= ALLOWED,
        ),
        Check("median swap, asked to answered", "–", f"{taken:.2f} s", None),
    ]


def p99(seen: Sequence[Seen]) -> float:
    """Seconds within which 99 of 100 were answered."""
    ordered = sorted(one.seconds for one in seen)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] if ordered else 0.0
