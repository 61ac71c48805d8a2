"""Texts by content hash, stored once, and their dense vectors as float16 bytes.

SQL is the source of truth for both; Qdrant can always be rebuilt from here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from store.batches import batches
from store.checks import clean
from store.tables import chunks, texts, vectors
from store.types import Vector


def content_hash(text: str) -> str:
    """sha256 hex of the text's UTF-8 bytes. Raises InvalidInput for text that has none."""
    return hashlib.sha256(clean(text, "the text").encode()).hexdigest()


def put(tx: Connection, items: Mapping[str, str]) -> None:
    """Store texts by their hash; what is there already stays."""
    rows = [{"content_hash": digest, "text": clean(text, "the text")} for digest, text in items.items()]
    if rows:
        tx.execute(insert(texts).on_conflict_do_nothing(), rows)


def get(tx: Connection, hashes: Iterable[str]) -> dict[str, str]:
    """The texts of those hashes that are known."""
    found: dict[str, str] = {}
    for batch in batches(hashes):
        rows = tx.execute(select(texts.c.content_hash, texts.c.text).where(texts.c.content_hash.in_(batch)))
        found.update((row.content_hash, row.text) for row in rows)
    return found


def pack(vector: Vector) -> bytes:
    """A vector as little-endian float16 bytes."""
    return np.asarray(vector).astype("<f2").tobytes()


def unpack(data: bytes) -> Vector:
    """Inverse of ``pack``, shape ``(d,)``, normalised again: float16 rounds by up to 0.05 %."""
    vector = np.frombuffer(data, dtype="<f2").astype(np.float32)
    norm = float(np.linalg.norm(vector))
    return vector / np.float32(norm) if norm > 0 else vector


def put_vectors(tx: Connection, encoder: str, items: Mapping[str, Vector]) -> None:
    """Store the dense vectors, each of shape ``(d,)``, that ``encoder`` made of these texts."""
    rows = [{"content_hash": digest, "encoder": encoder, "vector": pack(vector)} for digest, vector in items.items()]
    if rows:
        statement = insert(vectors)
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["content_hash", "encoder"], set_={"vector": statement.excluded.vector}
            ),
            rows,
        )


def get_vectors(tx: Connection, encoder: str, hashes: Iterable[str]) -> dict[str, Vector]:
    """The vectors of those texts that ``encoder`` has encoded, each of shape ``(d,)``."""
    found: dict[str, Vector] = {}
    for batch in batches(hashes):
        rows = tx.execute(
            select(vectors.c.content_hash, vectors.c.vector).where(
                vectors.c.encoder == encoder, vectors.c.content_hash.in_(batch)
            )
        )
        found.update((row.content_hash, unpack(row.vector)) for row in rows)
    return found


def missing_vectors(tx: Connection, encoder: str, limit: int) -> list[tuple[str, str]]:
    """Up to ``limit`` (content hash, text) of live chunks that ``encoder`` has not encoded yet."""
    rows = tx.execute(select(texts.c.content_hash, texts.c.text).where(_missing(encoder)).limit(limit))
    return [(row.content_hash, row.text) for row in rows]


def missing_count(tx: Connection, encoder: str) -> int:
    """How many texts of live chunks ``encoder`` has not encoded yet."""
    return tx.execute(select(func.count()).select_from(texts).where(_missing(encoder))).scalar_one()


def _missing(encoder: str) -> ColumnElement[bool]:
    live = exists().where(chunks.c.content_hash == texts.c.content_hash, chunks.c.retired_at.is_(None))
    encoded = exists().where(and_(vectors.c.content_hash == texts.c.content_hash, vectors.c.encoder == encoder))
    return and_(live, ~encoded)
