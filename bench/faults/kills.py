"""kill -9 of server and trainer at moments of the whole loop, beside a client that keeps its own log."""

from __future__ import annotations

import os
import random
import statistics
from collections import Counter
from dataclasses import dataclass, field

import psutil

from bench.faults.aims import CYCLE, MUST_STRIKE, Aim
from bench.faults.audit import Audit
from bench.faults.checks import Check, none_of
from bench.faults.people import MOVES, Boss, Rater
from bench.faults.site import Site, site, wait_for
from bench.faults.world import World

POINTS, QUICK_POINTS = 100, 3
READY_S = 10.0
CLEAN_STARTS = 3
END_S = 600.0
VICTIMS = ("server", "trainer", "both")
TRIES = 5
"""A victim may be about to start just then: the point is taken again."""
ENOUGH = 3 * len(CYCLE)
"""Fewer points say nothing of what was struck and what came through: every aim with every victim."""
PER_NIGHT = 10
"""One point in four lets a night through; so many points a night is the least."""


@dataclass(slots=True)
class Toll:
    """What the kills have shown so far."""

    audit: Audit
    ready_s: list[float] = field(default_factory=list)
    news: list[int] = field(default_factory=list)
    """Ratings acknowledged between one kill and the next."""
    killed: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    """Where the job of a killed trainer stood."""

    @property
    def kills(self) -> int:
        return self.killed.total()


def measure(world: World) -> list[Check]:
    points, rng = world.size(POINTS, QUICK_POINTS), random.Random(5)
    with site(world.copy("kills"), world.settings) as served:
        clean = _clean_starts(served)
        rater = Rater(served.url, world)
        boss = Boss(served.client("boss", admin=True), rng)
        toll, aim = Toll(Audit(served)), Aim(served, rng)
        toll.audit.look({})
        began_with = toll.audit.versions
        rater.start()
        boss.start()
        for point in range(points):
            _one_point(aim, point, toll)
            acknowledged = dict(rater.acknowledged)
            toll.news.append(len(acknowledged) - sum(toll.news))
            toll.audit.look(acknowledged)
            if (point + 1) % 10 == 0 or points < 10:
                world.say(f"{point + 1} of {points}: {len(rater.acknowledged):,} acknowledged, {toll.audit.summary()}")
        boss.ended.set()
        open_jobs = _wait_for_jobs(served)
        rater.ended.set()
        rater.join(60)
        _restart(served)  # leftovers are swept at start, and a job's third death was seen only after the last one
        toll.audit.look(dict(rater.acknowledged), everything=True)
        return [
            Check("kills", str(points), _of_kills(toll, aim), toll.kills == points),
            *_lively(served, toll, boss, points, toll.audit.versions - began_with),
            *_lasting(toll, rater, points),
            _ready(toll, clean),
            *_of_jobs(served, open_jobs),
        ]


def _clean_starts(served: Site) -> float:
    """Seconds of an orderly start on this machine: loading libraries and models is in there."""
    taken = []
    for _ in range(CLEAN_STARTS):
        served.wait_for_trainer()
        taken.append(_restart(served))
    return statistics.median(taken)


def _restart(served: Site) -> float:
    """In order; seconds until it is ready."""
    served.stop()
    wait_for(lambda: served.trainer() is None, 60)
    return served.start()


def _one_point(aim: Aim, point: int, toll: Toll) -> None:
    """One kill, each cycle of aims with the next victims; a point that found nobody is taken again."""
    victim = VICTIMS[(point + point // len(CYCLE)) % len(VICTIMS)]
    for _ in range(TRIES):
        aim.take(point)
        if _kill(aim.served, victim, toll):
            toll.killed[victim] += 1
            return


def _kill(served: Site, victim: str, toll: Toll) -> bool:
    """False where the victim was not there to be killed."""
    if victim in ("trainer", "both"):
        served.wait_for_trainer()  # the earliest moment of its life that can be seen
        pid = served.kill_trainer()
        if pid is None:
            return False
        toll.stages[_stage_of(served, pid)] += 1
    if victim in ("server", "both"):
        if not served.alive():
            return False
        served.kill()
        toll.ready_s.append(served.start())
    return True


def _stage_of(served: Site, pid: int) -> str:
    """Where the trainer stood that has just been killed: the row says so until another one takes the job up."""
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 10, 0.01)
    for owner, stage in served.rows("SELECT owner, stage FROM jobs WHERE state = 'running'"):
        if f"-{pid}-" in owner:
            return str(stage)
    return "between jobs"


def _wait_for_jobs(served: Site) -> list[str]:
    """What has not ended although it was given the time."""
    statement = "SELECT id || ' ' || state || ' in ' || stage FROM jobs WHERE state IN ('queued', 'running')"
    wait_for(lambda: not served.rows(statement), END_S, 1.0)
    return [str(row[0]) for row in served.rows(statement)]


def _of_kills(toll: Toll, aim: Aim) -> str:
    killed = ", ".join(f"{victim} {count}" for victim, count in sorted(toll.killed.items()))
    missed = f"; {len(aim.missed)} came too late for their aim" if aim.missed else ""
    return f"{toll.kills} ({killed}){missed}"


def _lively(served: Site, toll: Toll, boss: Boss, points: int, published: int) -> list[Check]:
    """That there was something to be lost: without these, nothing that follows would say anything."""
    many = points >= ENOUGH
    struck = ", ".join(f"{stage} {count}" for stage, count in toll.stages.most_common())
    ends = dict(served.rows("SELECT state, count(*) FROM jobs WHERE kind = 'nightly' GROUP BY state ORDER BY state"))
    nights = ", ".join(f"{state} {count}" for state, count in ends.items())
    moves = ", ".join(f"{boss.moves[name]} {name}" for name in MOVES)
    least = points // PER_NIGHT
    return [
        Check(
            "trainers killed in " + ", ".join(MUST_STRIKE),
            "each",
            struck,
            all(toll.stages[stage] for stage in MUST_STRIKE) if many else None,
        ),
        Check("versions published meanwhile", f"≥ {least}", str(published), published >= least if many else None),
        Check("nights that succeeded", f"≥ {least}", nights, ends.get("succeeded", 0) >= least if many else None),
        Check(
            "promotions and roll-backs",
            "both",
            f"{moves}; processors {os.cpu_count()}",
            all(boss.moves[name] for name in MOVES) if many else None,
        ),
    ]


def _lasting(toll: Toll, rater: Rater, points: int) -> list[Check]:
    audit, acknowledged = toll.audit, len(rater.acknowledged)
    return [
        Check(
            "ratings acknowledged between two kills",
            "some, mostly",
            f"none {toll.news.count(0)} times, median {statistics.median(toll.news):.0f}, {acknowledged:,} in all",
            toll.news.count(0) <= 0.2 * points,
        ),
        none_of("acknowledged ratings lost", sorted(audit.lost), acknowledged, "ratings"),
        none_of("ratings doubled", sorted(audit.doubled), acknowledged, "ratings"),
        none_of("half-published versions", sorted(audit.half), audit.versions, "versions"),
        none_of("leftovers in the models folder after another start", audit.leftovers(), audit.versions, "folders"),
        none_of("integrity check", audit.unsound, audit.looks, "looks"),
    ]


def _ready(toll: Toll, clean: float) -> Check:
    again = max((seconds - clean for seconds in toll.ready_s), default=0.0)
    longest, median = max(toll.ready_s, default=0.0), statistics.median(toll.ready_s or [0.0])
    return Check(
        "ready again",
        f"< {READY_S:.0f} s longer than a clean start",
        f"longest {longest:.1f} s, median {median:.1f} s of {len(toll.ready_s)}; clean start {clean:.1f} s",
        bool(toll.ready_s) and again < READY_S,
    )


def _of_jobs(served: Site, open_jobs: list[str]) -> list[Check]:
    jobs = int(served.rows("SELECT count(*) FROM jobs WHERE kind = 'nightly'")[0][0])
    silent = served.rows("SELECT id FROM jobs WHERE state = 'failed' AND coalesce(error, '') = ''")
    return [
        none_of("jobs without an end", open_jobs, jobs, "jobs"),
        none_of("failed jobs without a reason", silent, jobs, "jobs"),
    ]
