"""Counts and curves for the overview: aggregates over the whole database, in a few statements."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, and_, case, distinct, false, func, or_, select, true

from store.tables import (
    answers,
    chunks,
    conversations,
    files,
    golden,
    imported_pairs,
    judgments,
    query_groups,
    repos,
    signals,
)
from store.tables import versions as versions_table
from store.types import AGREED, SignalKind, Split


@dataclass(frozen=True, slots=True)
class Totals:
    """How much of everything there is. ``judged_groups`` have a strong judgment in force; some are held out."""

    repos: int
    files: int
    chunks: int
    answers: int
    conversations: int
    judgments: int
    strong_judgments: int
    conflicts: int
    retired: int
    judged_groups: int
    held_out_groups: int
    golden: int
    imported_pairs: int


@dataclass(frozen=True, slots=True)
class JudgedGroup:
    """A query group that people judged. ``right``: one of its chunks was held to be relevant."""

    group_id: int
    held_out: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day: ``day`` as YYYY-MM-DD."""

    day: str
    answers: int
    ratings: int


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """Thumbs in force on the answers that a version ranked."""

    version: int
    up: int
    down: int


def totals(tx: Connection) -> Totals:
    """Count everything."""
    strong = and_(judgments.c.strong.is_(true()), judgments.c.retired.is_(false()))
    judged = select(func.count(distinct(judgments.c.group_id))).where(strong)
    held_out = judged.join_from(judgments, query_groups).where(query_groups.c.split == Split.HELD_OUT.value)
    return Totals(
        repos=_count(tx, repos, repos.c.removed_at.is_(None)),
        files=_count(tx, files),
        chunks=_count(tx, chunks, chunks.c.retired_at.is_(None)),
        answers=_count(tx, answers),
        conversations=_count(tx, conversations, conversations.c.deleted_at.is_(None)),
        judgments=_count(tx, judgments),
        strong_judgments=_count(tx, judgments, strong),
        conflicts=_count(tx, judgments, judgments.c.conflict.is_(true())),
        retired=_count(tx, judgments, judgments.c.retired.is_(true())),
        judged_groups=tx.execute(judged).scalar_one(),
        held_out_groups=tx.execute(held_out).scalar_one(),
        golden=_count(tx, golden),
        imported_pairs=_count(tx, imported_pairs),
    )


def judged_groups(tx: Connection, vetoes: Collection[str]) -> list[JudgedGroup]:
    """The query groups whose strong judgments would be truth today. ``vetoes``: ids of vetoed judgments."""
    right = func.max(case((judgments.c.relevance > 0.5, 1), else_=0))
    rows = tx.execute(
        select(judgments.c.group_id, query_groups.c.split, right.label("right"))
        .join_from(judgments, query_groups)
        .where(
            judgments.c.strong.is_(true()),
            judgments.c.retired.is_(false()),
            judgments.c.weight > 0,
            or_(judgments.c.conflict.is_(false()), func.abs(2 * judgments.c.relevance - 1) >= AGREED),
            judgments.c.id.not_in(vetoes),
        )
        .group_by(judgments.c.group_id, query_groups.c.split)
    )
    return [JudgedGroup(row.group_id, row.split == Split.HELD_OUT.value, bool(row.right)) for row in rows]


def versions(tx: Connection) -> int:
    """Registered versions."""
    return _count(tx, versions_table)


def days(tx: Connection, since: datetime) -> list[Day]:
    """Answers and ratings (no clicks) a UTC day since ``since``, oldest first; quiet days are absent."""
    asked = _by_day(tx, answers, answers.c.created_at >= since)
    acts = [SignalKind.THUMB, SignalKind.STARS, SignalKind.CHUNK_VOTE, SignalKind.CORRECTION]
    said = _by_day(tx, signals, and_(signals.c.created_at >= since, signals.c.kind.in_([kind.value for kind in acts])))
    return [Day(day, asked.get(day, 0), said.get(day, 0)) for day in sorted(asked.keys() | said.keys())]


def satisfaction(tx: Connection) -> list[Satisfaction]:
    """Thumbs in force by version, newest version first."""
    thumbs = signals.c.kind == SignalKind.THUMB.value
    latest = select(func.max(signals.c.id)).where(thumbs).group_by(signals.c.answer_id, signals.c.actor)
    value = func.json_extract(signals.c.value, "$")
    rows = tx.execute(
        select(
            answers.c.model_version,
            func.sum(case((value == "up", 1), else_=0)).label("up"),
            func.sum(case((value == "down", 1), else_=0)).label("down"),
        )
        .join_from(signals, answers, answers.c.id == signals.c.answer_id)
        .where(signals.c.id.in_(latest))
        .group_by(answers.c.model_version)
        .order_by(answers.c.model_version.desc())
    )
    return [Satisfaction(row.model_version, row.up, row.down) for row in rows if row.up or row.down]


def _count(tx: Connection, table: Table, *where: object) -> int:
    return tx.execute(select(func.count()).select_from(table).where(*where)).scalar_one()  # type: ignore[arg-type]


def _by_day(tx: Connection, table: Table, where: object) -> dict[str, int]:
    day = func.strftime("%Y-%m-%d", table.c.created_at)
    rows = tx.execute(select(day.label("day"), func.count().label("n")).where(where).group_by(day))  # type: ignore[arg-type]
    return {row.day: row.n for row in rows}
