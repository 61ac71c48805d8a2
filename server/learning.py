"""The learning curve and what needs a person: the overview's judgment of how the loop is doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from server.compare import HEADLINE, interval
from server.needed import Needed
from server.retrieval.reload import Problem
from store.evaluations import EvalRow
from store.overview import Totals
from store.types import FIRST_STAGE_VERSION, Deployment, Job, JobKind, JobState, Version

LONGEST = 50
"""Champions on the curve."""


@dataclass(frozen=True, slots=True)
class Point:
    """One champion: mean held-out ndcg@10 with its 95 % interval, beside no reranking and the base."""

    at: datetime
    version: int
    name: str
    ndcg: float | None
    low: float | None
    high: float | None
    no_rerank: float | None
    base: float | None


def point(entry: Deployment, version: Version, held_out: Sequence[EvalRow]) -> Point:
    """A champion of the ledger as its own evaluation on the held-out questions measured it."""
    own = _values(held_out, "no_rerank" if version.id == FIRST_STAGE_VERSION else "challenger")
    low, high = interval(np.array(own)) if own else (None, None)
    return Point(
        at=entry.at,
        version=version.id,
        name=version.name,
        ndcg=_mean(own),
        low=low,
        high=high,
        no_rerank=_mean(_values(held_out, "no_rerank")),
        base=_mean(_values(held_out, "base")),
    )


def attention(totals: Totals, paused: bool, recent: Sequence[Job], problem: Problem | None, gate: Needed) -> list[str]:
    """Sentences, the most pressing first. ``paused``: promotion is meant to be automatic, but a rollback stopped it."""
    said: list[str] = []
    if problem is not None:
        said.append(f"Version {problem.version_id} is the champion but could not be loaded: {problem.reason}")
    if totals.chunks == 0:
        said.append("Nothing is indexed yet: add a repository.")
    nightly = next((job for job in recent if job.kind is JobKind.NIGHTLY and job.state.ended), None)
    if nightly is not None and nightly.state is JobState.FAILED:
        said.append(f"The last nightly job failed: {nightly.error}")
    if paused:
        said.append("Automatic promotion is paused since a rollback; resume it in the schedule when it may go on.")
    if totals.conflicts:
        said.append(f"{totals.conflicts} judgments contradict each other; a person should decide.")
    if totals.chunks and gate.more:
        said.append(gate.says[0])
    return said


def _values(rows: Sequence[EvalRow], arm: str) -> list[float]:
    return [row.metrics[HEADLINE] for row in rows if row.arm == arm and HEADLINE in row.metrics]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
