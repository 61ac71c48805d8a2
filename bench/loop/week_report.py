"""The tables of ``bench.loop.week``: each day, and what people asked from the second day on. Pure but for reading."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.loop.cells import Night, night_of
from bench.loop.figures import figure, scores
from bench.loop.scoring import Rank
from store.types import FIRST_STAGE_VERSION
from trainer.significance import FloatArray

BEGIN, END = "<!-- week: begin -->", "<!-- week: end -->"


@dataclass(frozen=True, slots=True)
class Day:
    """What was asked on one day, in its order, and where the right places stood before anybody rated."""

    kinds: tuple[str, ...]
    origins: tuple[str, ...]
    """The question that each one is, in its first words: repeats of one are no further evidence of their own."""
    serving: int
    """The version that served on that day."""
    latest: int
    """The latest challenger by then, whatever the gate had said of it; version 0 while there was none."""
    nothing: tuple[Rank, ...]
    served: tuple[Rank, ...]
    challenger: tuple[Rank, ...]
    night: Night | None = None
    """None after the last day, which is scored and not asked."""


@dataclass(frozen=True, slots=True)
class Week:
    seed: int
    wrong: int
    """Wrong votes in per cent."""
    days: tuple[Day, ...]
    notes: dict[str, Any] = field(default_factory=dict)


def read_weeks(folder: Path) -> list[Week]:
    """Kept weeks, in the order of their files' names."""
    return [_week(json.loads(file.read_text(encoding="utf-8"))) for file in sorted(folder.glob("week-*.json"))]


def _week(raw: dict[str, Any]) -> Week:
    days = tuple(
        Day(
            **{
                **day,
                **{name: tuple(day[name]) for name in ("kinds", "origins", "nothing", "served", "challenger")},
                "night": None if day["night"] is None else night_of(day["night"]),
            }
        )
        for day in raw["days"]
    )
    return Week(**{**raw, "days": days})


def summary(weeks: Sequence[Week]) -> str:
    """Markdown: of each week its days, then gains over no reranking by kind of question."""
    return "\n\n".join(map(_about, weeks)) if weeks else "Not run yet."


def _about(week: Week) -> str:
    lines = [
        f"**{week.wrong} % wrong votes, seed {week.seed}**",
        "",
        "| day | asked | served by | the night's job | decision | what serves, mrr@10 | no rerank |",
        "|---|---|---|---|---|---|---|",
        *(_day(number, day) for number, day in enumerate(week.days, start=1)),
        "",
        "| asked from day 2 on | asked (questions) | what served: gain in mrr@10 (95 % interval) | p "
        "| latest challenger, whatever the gate said | p |",
        "|---|---|---|---|---|---|",
        *_gains(week.days[1:-1]),
        "",
        "| scored on the day after the week | scored (questions) | what serves: gain in mrr@10 (95 % interval) | p "
        "| latest challenger, whatever the gate said | p |",
        "|---|---|---|---|---|---|",
        *_gains(week.days[-1:]),
        "",
        *_trained(week.days),
        *(f"* night {number}: {day.night.reasons[0]}" for number, day in enumerate(week.days, start=1) if day.night),
    ]
    return "\n".join(lines)


def _trained(days: Sequence[Day]) -> list[str]:
    """The days on which a trained version served; nothing where none did."""
    some = [day for day in days if day.serving != FIRST_STAGE_VERSION]
    if not some:
        return []
    return [
        f"| the {len(some)} days on which a trained version served | scored (questions) "
        "| what served: gain in mrr@10 (95 % interval) | p | latest challenger, whatever the gate said | p |",
        "|---|---|---|---|---|---|",
        *_gains(some),
        "",
    ]


def _day(number: int, day: Day) -> str:
    served, nothing = (scores(found, "mrr@10").mean() for found in (day.served, day.nothing))
    night = day.night
    asked = f"{len(day.kinds)}" if night else f"– ({len(day.kinds)} scored)"
    job = f"{night.job_seconds:.0f} s" if night else "–"
    decision = f"{night.decision or 'no challenger'}" if night else "–"
    by = "no reranking" if day.serving == FIRST_STAGE_VERSION else f"version {day.serving}"
    return f"| {number} | {asked} | {by} | {job} | {decision} | {served:.3f} | {nothing:.3f} |"


def _gains(days: Sequence[Day]) -> list[str]:
    kinds = sorted({kind for day in days for kind in day.kinds}, key=lambda kind: (not kind.startswith("new"), kind))
    return [_row(days, {kind}, kind) for kind in kinds] + [_row(days, set(kinds), "all")]


def _row(days: Sequence[Day], kinds: set[str], title: str) -> str:
    counts, nothing = _by_question(days, kinds, "nothing")
    cells = []
    for arm in ("served", "challenger"):
        _, got = _by_question(days, kinds, arm)
        found = figure(got, nothing)
        gained = f"{found.gain:+.1%} ({found.low:+.1%} to {found.high:+.1%}) | {found.p:.4f}"
        cells.append("– | –" if np.array_equal(got, nothing) else gained)
    return f"| {title} | {counts} ({len(nothing)}) | {' | '.join(cells)} |"


def _by_question(days: Sequence[Day], kinds: set[str], arm: str) -> tuple[int, FloatArray]:
    """How often these kinds were asked, and each question's sum of mrr@10, shape ``(questions,)``.

    Sums, so that a ratio of means stays what it is, while interval and test draw questions and not their repeats.
    """
    sums: dict[str, float] = defaultdict(float)
    count = 0
    for day in days:
        for kind, origin, score in zip(day.kinds, day.origins, scores(getattr(day, arm), "mrr@10"), strict=True):
            if kind in kinds:
                sums[origin] += float(score)
                count += 1
    return count, np.array([sums[origin] for origin in sorted(sums)])
