"""Searches of one user while a nightly job runs to its end, against the same server before and after it."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle

import numpy as np

from bench.harness import Served
from bench.harness import served as serve
from bench.loop.people import ask_and_rate
from bench.loop.person import Model
from bench.speed.timing import Pair, Row, row, timed
from bench.speed.world import SETTINGS, Speed
from rankloop.client import Client
from store.errors import RankloopError
from store.types import JobState

ASKED = 80
"""Questions that people ask and rate before the night."""
QUIET = 40
"""Searches before the night, and as many after it."""
MOST = 1500
"""Searches while the job runs: a limit for a job that hangs, far above what a night takes."""
FEWEST = 10
"""Searches within a stage for which its p95 is told."""
PAUSE_S = 1.0
"""Between two searches: without any the job would hardly get on, and nobody reads that fast."""
_SETTINGS: Mapping[str, str] = {name: value for name, value in SETTINGS.items() if name != "RANKLOOP_TRAINER"}


def measure(speed: Speed, _rounds: int, say: Callable[[str], None]) -> list[Row]:
    """One night on the ratings of ``ASKED`` questions. The ratio is that of the p95; below 1 where the night is slower.

    Raises RankloopError where the nightly job fails.
    """
    data = speed.world.copy_to("speed-night")
    questions = speed.world.corpus.questions[:ASKED]
    searched = [question.query for question in speed.world.corpus.questions]
    random.Random(7).shuffle(searched)
    queries = cycle(searched)
    with serve(data, data.with_suffix(".log"), _SETTINGS) as server:
        admin = server.client("bench", admin=True)
        admin.promote(speed.version.id, "bench", force=True)
        say(f"night: {len(questions)} questions are asked and rated")
        ask_and_rate(server, questions, Model(wrong=0.1), 7)
        quiet = _searches(server, queries, lambda done: "quiet" if done < QUIET else None)
        say("night: the job runs")
        job = admin.start_job("nightly")
        during = _searches(server, queries, lambda done: _stage(admin, job, done))
        after = _searches(server, queries, lambda done: "quiet" if done < QUIET else None)
    before_and_after = quiet["quiet"] + after["quiet"]
    all_night = [seconds for stage in during.values() for seconds in stage]
    plain, ours = _p95(before_and_after), _p95(all_night)
    return [
        row(
            "night",
            "search with rerank 50, p95, while a nightly job runs to its end, against quiet",
            [Pair(plain, ours)],
            searches=len(all_night),
            searches_quiet=len(before_and_after),
            p50_quiet_s=float(np.median(before_and_after)),
            p50_night_s=float(np.median(all_night)),
            **{f"p95_{stage}_s": _p95(found) for stage, found in during.items() if len(found) >= FEWEST},
        )
    ]


def _searches(server: Served, queries: Iterator[str], during: Callable[[int], str | None]) -> dict[str, list[float]]:
    """Seconds of each search by what ``during`` said before it, given how many are done; None ends them."""
    seconds: dict[str, list[float]] = defaultdict(list)
    done = 0
    with server.client("night") as client:
        while (stage := during(done)) is not None:
            query = next(queries)
            seconds[stage].append(timed(lambda q=query: client.search(q))[0])  # type: ignore[misc]
            done += 1
            time.sleep(PAUSE_S)
    return seconds


def _p95(seconds: list[float]) -> float:
    return float(np.percentile(seconds, 95))


def _stage(admin: Client, job_id: int, done: int) -> str | None:
    """Where the job is; None once it is over. Raises RankloopError where it did not succeed, or never ends."""
    job = admin.job(job_id)
    if job.state in (JobState.FAILED, JobState.CANCELLED) or done >= MOST:
        raise RankloopError(f"the nightly job is {job.state} after {done} searches: {job.error}")
    return None if job.state is JobState.SUCCEEDED else job.stage
