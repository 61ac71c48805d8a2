"""Searches of one user while a nightly job runs, against the same server before and after it."""

from __future__ import annotations

import random
import time
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
QUIET = 25
"""Searches before the night."""
MOST = 75
"""Searches while the job runs, if it runs that long; it is cancelled then, and as many as before follow."""
PAUSE_S = 1.0
"""Between two searches: without any the job would hardly get on, and nobody reads that fast."""
_SETTINGS: Mapping[str, str] = {name: value for name, value in SETTINGS.items() if name != "RANKLOOP_TRAINER"}
_OVER = {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}


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
        quiet = _searches(server, queries, lambda done: done >= QUIET)
        say("night: the job runs")
        job = admin.start_job("nightly")
        during = _searches(server, queries, lambda done: done >= MOST or _over(admin, job))
        if not _over(admin, job):
            admin.call("POST", f"/api/admin/jobs/{job}/cancel")
            while not _over(admin, job):
                time.sleep(1)
        quiet += _searches(server, queries, lambda done: done >= QUIET)
    plain, ours = (float(np.percentile(seconds, 95)) for seconds in (quiet, during))
    return [
        row(
            "night",
            "search with rerank 50, p95, while a nightly job runs, against quiet",
            [Pair(plain, ours)],
            searches=len(during),
            p50_quiet_s=float(np.median(quiet)),
            p50_night_s=float(np.median(during)),
        )
    ]


def _searches(server: Served, queries: Iterator[str], enough: Callable[[int], bool]) -> list[float]:
    seconds: list[float] = []
    with server.client("night") as client:
        while not enough(len(seconds)):
            query = next(queries)
            seconds.append(timed(lambda q=query: client.search(q))[0])  # type: ignore[misc]
            time.sleep(PAUSE_S)
    return seconds


def _over(admin: Client, job_id: int) -> bool:
    job = admin.job(job_id)
    if job.state is JobState.FAILED:
        raise RankloopError(f"the nightly job ended as {job.state}: {job.error}")
    return job.state in _OVER
