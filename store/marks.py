"""Has anything changed that judgments are made from? Cheap: a few largest ids and times."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from store.tables import golden, judgment_overrides, signals

Mark = tuple[int | datetime | None, ...]


def judging(tx: Connection) -> Mark:
    """Differs from an earlier mark when a signal, an override or a golden question has been added or removed."""
    newest = (select(func.coalesce(func.max(table.c.id), 0)) for table in (signals, judgment_overrides, golden))
    questions = select(func.count()).select_from(golden)
    latest = select(func.max(golden.c.created_at))  # the id of a question that was removed is taken again
    return tuple(tx.execute(query).scalar_one() for query in (*newest, questions, latest))
