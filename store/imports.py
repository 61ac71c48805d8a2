"""Imported pairs: labelled (query, passage) rows that a team brings along."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from store import texts
from store.checks import clean
from store.errors import InvalidInput
from store.tables import imported_pairs


def add_pairs(tx: Connection, batch: str, rows: Sequence[tuple[str, str, float]], now: datetime) -> int:
    """Store (query, passage, label) rows as one batch; returns how many, 0 when the batch is there already.

    Raises InvalidInput, naming the row from 1, for text that can't be stored or a label outside [0, 1].
    """
    clean(batch, "the batch", 64)
    present = select(imported_pairs.c.id).where(imported_pairs.c.batch == batch).limit(1)
    if not rows or tx.execute(present).scalar() is not None:
        return 0
    passages: dict[str, str] = {}
    values = []
    for number, (query, passage, label) in enumerate(rows, start=1):
        if not math.isfinite(label) or not 0.0 <= label <= 1.0:
            raise InvalidInput(f"row {number}: the label must be from 0 to 1, not {label}")
        digest = texts.content_hash(clean(passage, f"row {number}: the passage"))
        passages[digest] = passage
        values.append(
            {
                "batch": batch,
                "query": clean(query, f"row {number}: the query"),
                "content_hash": digest,
                "label": float(label),
                "created_at": now,
            }
        )
    texts.put(tx, passages)
    tx.execute(insert(imported_pairs), values)
    return len(values)


def batches(tx: Connection) -> dict[str, int]:
    """Batch → number of pairs, oldest batch first."""
    counted = select(imported_pairs.c.batch, func.count().label("pairs")).group_by(imported_pairs.c.batch)
    rows = tx.execute(counted.order_by(func.min(imported_pairs.c.id)))
    return {row.batch: row.pairs for row in rows}


def pairs(tx: Connection, batch: str | None) -> Iterator[tuple[str, str, float]]:
    """(query, content hash, label) of one batch, or of all when None, in the order of import."""
    query = select(imported_pairs).order_by(imported_pairs.c.id)
    if batch is not None:
        query = query.where(imported_pairs.c.batch == batch)
    for row in tx.execute(query):
        yield row.query, row.content_hash, row.label
