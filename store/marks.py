"""Has anything changed that judgments are made from? Cheap: a few largest ids."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from store.tables import golden, judgment_overrides, signals

Mark = tuple[int, ...]


def judging(tx: Connection) -> Mark:
    """Differs from an earlier mark when a signal, an override or a golden question has been added or removed."""
    newest = (select(func.coalesce(func.max(table.c.id), 0)) for table in (signals, judgment_overrides, golden))
    questions = select(func.count()).select_from(golden)
    return tuple(int(tx.execute(query).scalar_one()) for query in (*newest, questions))
