"""Admin bodies: the overview."""

from __future__ import annotations

from datetime import datetime

from server.schemas.common import View
from server.schemas.jobs import JobView
from server.schemas.versions import ChampionView, VersionView


class Counts(View):
    repos: int
    files: int
    chunks: int
    answers: int
    conversations: int
    signals: dict[str, int]
    judgments: int
    strong_judgments: int
    conflicts: int
    retired: int
    judged_groups: int
    held_out_groups: int
    golden: int
    imported_pairs: int


class CurvePoint(View):
    """One champion: its held-out ndcg@10 with interval, beside no reranking and the base."""

    at: datetime
    version: int
    name: str
    ndcg: float | None
    low: float | None
    high: float | None
    no_rerank: float | None
    base: float | None


class DayCount(View):
    day: str
    ratings: int
    answers: int


class Satisfaction(View):
    version: int
    up: int
    down: int


class GateNeed(View):
    """How many more judged questions the gate would need."""

    usable: int
    """Judged questions that can be scored."""
    held_out: int
    """Of them, held out from training."""
    more: int
    """About how many more are needed; 0 when the gate can decide."""
    says: list[str]
    """Why, in sentences; empty when nothing is missing."""


class Overview(View):
    counts: Counts
    champion: ChampionView
    rollback_to: int | None
    """Where a rollback goes that names no version; None while the first champion serves."""
    rollback_choices: list[int]
    """The versions that a rollback may name, last served first."""
    serving: VersionView
    serving_note: str | None
    """Set where this server serves another version than the champion."""
    jobs: list[JobView]
    curve: list[CurvePoint]
    days: list[DayCount]
    satisfaction: list[Satisfaction]
    next_runs: list[datetime]
    gate: GateNeed
    attention: list[str]
    """What needs a person, in sentences."""
