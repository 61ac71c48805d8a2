"""Queries that were judged, the group of each and its split. A split, once stored, holds for ever."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from store import meta
from store.checks import clean
from store.errors import NotFound
from store.tables import queries, query_groups
from store.texts import pack, unpack
from store.types import QueryGroup, Split, Vector

_ENCODER = "queries_encoder"
_SINCE = "queries_encoder_since"


@dataclass(frozen=True, slots=True)
class KnownQuery:
    """A query as it was first asked. ``bridged``: near both splits, so it leaves training."""

    id: int
    query: str
    group_id: int
    split: Split
    vector: Vector
    bridged: bool


def normalise(query: str) -> str:
    """The query without what does not change its meaning: case, spacing, and punctuation at its end."""
    return " ".join(unicodedata.normalize("NFKC", query).casefold().split()).rstrip(" ?!.")


def known(tx: Connection) -> list[KnownQuery]:
    """Every known query, oldest first, with its vector of shape ``(d,)``."""
    rows = tx.execute(select(queries, query_groups.c.split).join_from(queries, query_groups).order_by(queries.c.id))
    return [
        KnownQuery(row.id, row.query, row.group_id, Split(row.split), unpack(row.vector), row.bridged) for row in rows
    ]


def add(
    tx: Connection,
    query: str,
    vector: Vector,
    group_id: int | None,
    split: Split,
    now: datetime,
    bridged: bool = False,
) -> QueryGroup:
    """Store a query in the group ``group_id``, or in a new one with this split; returns its group.

    An existing group keeps its own split, and a query that is known already its group.
    Raises NotFound for an unknown group.
    """
    digest = _hash(query)
    present: int | None = tx.execute(select(queries.c.group_id).where(queries.c.query_hash == digest)).scalar()
    if present is not None:
        return _group(tx, present)
    if group_id is None:
        made = tx.execute(insert(query_groups).values(split=str(split), created_at=now).returning(query_groups.c.id))
        group_id = int(made.scalar_one())
    group = _group(tx, group_id)
    tx.execute(
        insert(queries).values(
            query=query, query_hash=digest, group_id=group.id, vector=pack(vector), bridged=bridged, created_at=now
        )
    )
    return group


def groups(tx: Connection) -> dict[int, QueryGroup]:
    """Every group by id."""
    rows = tx.execute(select(query_groups).order_by(query_groups.c.id))
    return {row.id: QueryGroup(row.id, Split(row.split), row.created_at) for row in rows}


def group_of(tx: Connection) -> dict[str, tuple[int, Split, bool]]:
    """Normalised query → (group id, split, bridged)."""
    found = select(queries.c.query, queries.c.group_id, query_groups.c.split, queries.c.bridged)
    rows = tx.execute(found.join_from(queries, query_groups))
    return {normalise(row.query): (row.group_id, Split(row.split), row.bridged) for row in rows}


def mark_bridged(tx: Connection, query_id: int) -> None:
    """Note that a query came near to one of the other split. Raises NotFound."""
    changed = tx.execute(update(queries).where(queries.c.id == query_id).values(bridged=True).returning(queries.c.id))
    if changed.scalar() is None:
        raise NotFound(f"no query {query_id}")


def encoder(tx: Connection) -> str | None:
    """Name of the encoder that made the queries' vectors; None when it was never noted."""
    name: str | None = meta.get(tx, _ENCODER)
    return name


def encoder_since(tx: Connection) -> datetime | None:
    """When another encoder than the one before was first seen; None where there was only one."""
    noted: str | None = meta.get(tx, _SINCE)
    return None if noted is None else datetime.fromisoformat(noted)


def put_vectors(tx: Connection, encoder_name: str, vectors: Mapping[int, Vector], now: datetime) -> None:
    """Replace the vectors of queries, by id, and note which encoder all vectors are of. Groups and splits stay."""
    if vectors:
        rows = [{"known": query_id, "packed": pack(vector)} for query_id, vector in vectors.items()]
        one = update(queries).where(queries.c.id == bindparam("known"))
        tx.execute(one.values(vector=bindparam("packed")), rows)
    if encoder(tx) not in (None, encoder_name):
        meta.put(tx, _SINCE, now.isoformat())
    meta.put(tx, _ENCODER, encoder_name)


def _hash(query: str) -> str:
    return hashlib.sha256(normalise(clean(query, "the query")).encode()).hexdigest()


def _group(tx: Connection, id: int) -> QueryGroup:
    row = tx.execute(select(query_groups).where(query_groups.c.id == id)).one_or_none()
    if row is None:
        raise NotFound(f"no query group {id}")
    return QueryGroup(row.id, Split(row.split), row.created_at)
