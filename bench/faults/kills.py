"""kill -9 of server and trainer at random moments of the whole loop, beside a client that keeps its own log."""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from bench.faults.audit import Audit
from bench.faults.checks import Check, none_of
from bench.faults.site import Site, site, wait_for
from bench.faults.world import World, questions
from rankloop.client import Client
from store.errors import Conflict, RankloopError

POINTS, QUICK_POINTS = 100, 3
SPAN_S = 12.0
"""A kill comes within so many seconds of the last restart: asking, rating, training, publishing, promoting go on."""
WORKING = 0.8
"""Share of the kills that let the trainer start first; the others strike its start."""
READY_S = 10.0
CLEAN_STARTS = 3
END_S = 600.0
VICTIMS = ("server", "trainer", "both")


@dataclass(slots=True)
class Rater(threading.Thread):
    """Asks and rates without a pause. What the server has acknowledged is written down here, nowhere else.

    A rating that was not acknowledged is sent again until it is: it must then count once, not twice.
    """

    url: str
    world: World
    acknowledged: dict[tuple[str, str, int], bool] = field(default_factory=dict)
    """(answer, actor, chunk) → the vote."""
    ended: threading.Event = field(default_factory=threading.Event)
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        for number, question in enumerate(questions(self.world, 11, 1_000_000)):
            if self.ended.is_set():
                return
            actor = f"person-{number % 7}"
            with Client(self.url, user=actor, timeout=30.0) as client:
                try:
                    answer = client.answer(question.query, top_k=8)
                except RankloopError:
                    self.ended.wait(0.2)
                    continue
                assert answer.answer_id is not None
                for source in answer.sources[:3]:
                    self._vote(client, answer.answer_id, actor, source.chunk_id, source.path in question.relevant)

    def _vote(self, client: Client, answer: str, actor: str, chunk: int, relevant: bool) -> None:
        while not self.ended.is_set():
            try:
                client.rate_chunk(answer, chunk, relevant)
            except RankloopError as error:
                self.refused[type(error).__name__] += 1
                self.ended.wait(0.1)
            else:
                self.acknowledged[answer, actor, chunk] = relevant
                return


@dataclass(slots=True)
class Boss(threading.Thread):
    """Starts the nightly job whenever none is open, promotes and rolls back."""

    url: str
    token: Client
    rng: random.Random
    ended: threading.Event = field(default_factory=threading.Event)
    moves: int = 0

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.ended.wait(self.rng.uniform(0.3, 1.5)):
            with suppress(RankloopError):  # one is open, or nobody is there
                self.token.start_job("nightly")
            try:
                known = [version.id for version in self.token.models().versions]
                self.token.promote(self.rng.choice(known), "bench", force=True)
                self.moves += 1
            except Conflict:
                pass  # it serves already
            except RankloopError:
                pass


@dataclass(slots=True)
class Toll:
    """What the kills have shown so far."""

    audit: Audit
    ready_s: list[float] = field(default_factory=list)
    news: list[int] = field(default_factory=list)
    """Ratings acknowledged between one kill and the next."""
    killed: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)


def measure(world: World) -> list[Check]:
    points, rng = world.size(POINTS, QUICK_POINTS), random.Random(5)
    with site(world.copy("kills"), world.settings) as served:
        clean = _clean_starts(served)
        rater = Rater(served.url, world)
        boss = Boss(served.url, served.client("boss", admin=True), rng)
        toll = Toll(Audit(served))
        rater.start()
        boss.start()
        for point in range(points):
            if rng.random() < WORKING:
                served.wait_for_trainer()
            time.sleep(rng.uniform(0.2, SPAN_S))
            _kill(served, VICTIMS[point % len(VICTIMS)], toll)
            acknowledged = dict(rater.acknowledged)
            toll.news.append(len(acknowledged) - sum(toll.news))
            toll.audit.look(acknowledged)
            if (point + 1) % 10 == 0 or points < 10:
                world.say(f"{point + 1} of {points}: {len(rater.acknowledged):,} acknowledged, {toll.audit.summary()}")
        boss.ended.set()
        open_jobs = _wait_for_jobs(served)
        rater.ended.set()
        rater.join(60)
        toll.audit.look(dict(rater.acknowledged), everything=True)
        return _checks(served, toll, rater, boss, points, clean, open_jobs)


def _clean_starts(served: Site) -> float:
    """Seconds of an orderly start on this machine: loading libraries and models is in there."""
    taken = []
    for _ in range(CLEAN_STARTS):
        served.wait_for_trainer()
        served.stop()
        wait_for(lambda: served.trainer() is None, 60)
        taken.append(served.start())
    return statistics.median(taken)


def _kill(served: Site, victim: str, toll: Toll) -> None:
    if victim == "trainer":
        served.wait_for_trainer()  # the earliest moment of its life that can be seen
    running = served.rows("SELECT stage FROM jobs WHERE state = 'running'")
    toll.stages[running[0][0] if running else "between jobs"] += 1
    if victim in ("trainer", "both") and served.kill_trainer() is None:
        victim = {"trainer": "nobody", "both": "server"}[victim]  # it was about to start
    toll.killed[victim] += 1
    if victim in ("server", "both"):
        served.kill()
        toll.ready_s.append(served.start())


def _wait_for_jobs(served: Site) -> list[str]:
    """What has not ended although it was given the time."""
    statement = "SELECT id || ' ' || state || ' in ' || stage FROM jobs WHERE state IN ('queued', 'running')"
    wait_for(lambda: not served.rows(statement), END_S, 1.0)
    return [str(row[0]) for row in served.rows(statement)]


def _checks(
    served: Site, toll: Toll, rater: Rater, boss: Boss, points: int, clean: float, open_jobs: list[str]
) -> list[Check]:
    audit, acknowledged = toll.audit, len(rater.acknowledged)
    ends = served.rows("SELECT state, count(*) FROM jobs WHERE kind = 'nightly' GROUP BY state ORDER BY state")
    jobs = sum(count for _, count in ends)
    again = max((seconds - clean for seconds in toll.ready_s), default=0.0)
    longest, median = max(toll.ready_s, default=0.0), statistics.median(toll.ready_s or [0.0])
    silent = served.rows("SELECT id FROM jobs WHERE state = 'failed' AND coalesce(error, '') = ''")
    struck = ", ".join(f"{stage} {count}" for stage, count in toll.stages.most_common())
    killed = ", ".join(f"{victim} {count}" for victim, count in sorted(toll.killed.items()))
    return [
        Check("kills", str(points), f"{points - toll.killed['nobody']} ({killed}); struck in: {struck}", None),
        Check(
            "ratings acknowledged between two kills",
            "some, mostly",
            f"none {toll.news.count(0)} times, median {statistics.median(toll.news):.0f}, {acknowledged:,} in all",
            toll.news.count(0) <= 0.2 * points,
        ),
        none_of("acknowledged ratings lost", sorted(audit.lost), acknowledged, "ratings"),
        none_of("ratings doubled", sorted(audit.doubled), acknowledged, "ratings"),
        none_of("half-published versions", sorted(audit.half), audit.versions, "versions"),
        none_of("leftovers in the models folder at the end", audit.leftovers(), audit.versions, "folders"),
        none_of("integrity check", audit.unsound, audit.looks, "looks"),
        Check(
            "ready again (model load apart)",
            f"< {READY_S:.0f} s longer than a clean start",
            f"longest {longest:.1f} s, median {median:.1f} s; clean start {clean:.1f} s",
            again < READY_S,
        ),
        none_of("jobs without an end", open_jobs, jobs, "jobs"),
        none_of("failed jobs without a reason", silent, jobs, "jobs"),
        Check("jobs by end", "–", ", ".join(f"{state} {count}" for state, count in ends), None),
        Check("promotions", "–", f"{boss.moves}; processors {os.cpu_count()}", None),
    ]
