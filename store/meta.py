"""Small facts about the whole database: a key and a JSON value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from store.tables import meta


def get(tx: Connection, key: str) -> Any | None:
    """The value of ``key``; None when there is none."""
    return tx.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def put(tx: Connection, key: str, value: Any) -> None:
    """Set ``key`` to a JSON value."""
    row = insert(meta).values(key=key, value=value)
    tx.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": row.excluded.value}))
