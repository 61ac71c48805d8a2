"""What in a database can be made again from the rest of it, and is: never a rating, never a text."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, func, select, text, update
from sqlalchemy.exc import DatabaseError

from store import lexical, meta
from store.batches import batches
from store.tables import chunks, jobs, texts, vectors
from store.texts import content_hash
from store.types import JobState

_MARKER = "vector_index"
_FTS_CHECK = text("INSERT INTO chunks_fts (chunks_fts) VALUES ('integrity-check')")
_FTS_REBUILD = text("INSERT INTO chunks_fts (chunks_fts) VALUES ('rebuild')")
_MISSING = text(
    "SELECT c.id FROM chunks c WHERE c.retired_at IS NULL AND c.id NOT IN (SELECT rowid FROM chunks_fts) ORDER BY c.id"
)
_SURPLUS = text(
    "SELECT rowid FROM chunks_fts WHERE rowid NOT IN (SELECT id FROM chunks WHERE retired_at IS NULL) ORDER BY rowid"
)


def lexical_faults(tx: Connection) -> list[str]:
    """How the lexical index differs from the live chunks; empty when it does not."""
    found = []
    try:
        with tx.begin_nested():
            tx.execute(_FTS_CHECK)
    except DatabaseError as error:
        found.append(f"the lexical index is damaged ({error.orig})")
    if missing := len(tx.execute(_MISSING).all()):
        found.append(f"{missing:,} chunks are not in the lexical index")
    if surplus := len(tx.execute(_SURPLUS).all()):
        found.append(f"the lexical index holds {surplus:,} chunks that are gone")
    return found


def mend_lexical(tx: Connection) -> None:
    """Make the lexical index hold exactly the live chunks."""
    tx.execute(_FTS_REBUILD)
    lexical.remove(tx, [row[0] for row in tx.execute(_SURPLUS)])
    for ids in batches([row[0] for row in tx.execute(_MISSING)]):
        rows = tx.execute(
            select(chunks.c.id, chunks.c.path, chunks.c.symbol, texts.c.text)
            .join_from(chunks, texts, texts.c.content_hash == chunks.c.content_hash)
            .where(chunks.c.id.in_(ids))
        )
        lexical.index(tx, [(row.id, row.path, row.symbol, row.text) for row in rows])


def odd_vectors(tx: Connection, encoder: str, dimension: int) -> int:
    """Vectors of ``encoder`` that have another length than ``dimension`` float16 numbers."""
    return tx.execute(select(func.count()).select_from(vectors).where(_odd(encoder, dimension))).scalar_one()


def drop_odd_vectors(tx: Connection, encoder: str, dimension: int) -> None:
    """Forget them: they are made again from their texts."""
    tx.execute(delete(vectors).where(_odd(encoder, dimension)))


def altered_texts(tx: Connection) -> list[str]:
    """Content hashes of texts that no longer hash to them: what was judged is not what is stored."""
    rows = tx.execute(select(texts.c.content_hash, texts.c.text).execution_options(yield_per=1000))
    return [row.content_hash for row in rows if content_hash(row.text) != row.content_hash]


def marker_behind(tx: Connection, generation: int) -> bool:
    """Whether a change of the vectors was not followed by its mark: the process died between the two."""
    marker = meta.get(tx, _MARKER)
    return isinstance(marker, dict) and marker.get("generation") != generation


def forget_marker(tx: Connection) -> None:
    """Let the next start fill the vector index from SQL."""
    meta.put(tx, _MARKER, None)


def index_faults_only(faults: list[str]) -> bool:
    """Whether SQLite's complaints are about indexes alone, which are made again from their tables."""
    return bool(faults) and all("index" in fault and "Page" not in fault for fault in faults)


def reindex(tx: Connection) -> None:
    """Make every index again. Raises Unavailable where the tables themselves are damaged."""
    tx.execute(text("REINDEX"))


def requeue(tx: Connection, ids: list[int]) -> None:
    """Put running jobs back whose worker is gone; the attempts stay counted."""
    tx.execute(
        update(jobs)
        .where(jobs.c.id.in_(ids), jobs.c.state == JobState.RUNNING.value)
        .values(state=JobState.QUEUED.value, owner=None, lease_until=None, stage="queued", progress=0.0)
    )


def _odd(encoder: str, dimension: int) -> ColumnElement[bool]:
    return (vectors.c.encoder == encoder) & (func.length(vectors.c.vector) != 2 * dimension)
