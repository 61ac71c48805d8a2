"""Has anything changed that judgments are made from? Cheap: a few largest ids and times."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from store.tables import burst_decisions, golden, judgment_overrides, signals

Mark = tuple[int | datetime | None, ...]
_TABLES = (signals, judgment_overrides, burst_decisions, golden)


def judging(tx: Connection) -> Mark:
    """Differs from an earlier mark when a signal, a decision about one or a golden question is added or removed."""
    newest = (select(func.coalesce(func.max(table.c.id), 0)) for table in _TABLES)
    questions = select(func.count()).select_from(golden)
    latest = select(func.max(golden.c.created_at))  # the id of a question that was removed is taken again
    return tuple(tx.execute(query).scalar_one() for query in (*newest, questions, latest))
