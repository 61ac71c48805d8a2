"""Chunks: stored pieces of code. A chunk is never deleted, only retired, because judged history refers to it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Select, bindparam, exists, func, insert, select, update
from sqlalchemy.engine import Connection, Row

from store import lexical, meta, texts
from store.batches import batches
from store.checks import clean
from store.errors import NotFound
from store.tables import chunks, repos, vectors
from store.tables import texts as texts_table
from store.types import Chunk, ChunkDraft, Vector

_GENERATION = "index_generation"
_Row: TypeAlias = Row[Any, Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Replaced:
    """Chunk ids of one file after indexing it again."""

    added: tuple[int, ...]
    kept: tuple[int, ...]
    retired: tuple[int, ...]


def replace_file(tx: Connection, repo: str, path: str, drafts: Sequence[ChunkDraft], now: datetime) -> Replaced:
    """Make ``drafts`` the chunks of one file; no drafts retires them all.

    A draft whose content hash the file already has keeps that chunk's id (its lines and symbol are brought
    up to date). Texts and the lexical index are kept in step; vectors are not made here.
    Raises NotFound for an unknown repository, InvalidInput for text that can't be stored.
    """
    repo_id = _repo_id(tx, repo)
    clean(path, "the path")
    for draft in drafts:
        clean(draft.symbol, f"a symbol in {path}")
    before = defaultdict[str, deque[_Row]](deque)
    for row in tx.execute(_FILE, {"repo_id": repo_id, "file": path}):
        before[row.content_hash].append(row)
    new: list[ChunkDraft] = []
    kept: list[tuple[_Row, ChunkDraft]] = []
    for draft in drafts:
        same = before.get(draft.content_hash)
        if same:
            kept.append((same.popleft(), draft))
        else:
            new.append(draft)
    gone = [row.id for rows in before.values() for row in rows]
    texts.put(tx, {draft.content_hash: draft.text for draft in new})
    added = _insert(tx, repo_id, path, new)
    _refresh(tx, path, kept)
    retire(tx, gone, now)
    return Replaced(added, tuple(row.id for row, _ in kept), tuple(gone))


def retire(tx: Connection, ids: Sequence[int], now: datetime) -> None:
    """Take chunks out of every search; they stay readable by id."""
    for batch in batches(ids):
        tx.execute(update(chunks).where(chunks.c.id.in_(batch)).values(retired_at=now))
    lexical.remove(tx, ids)


def get(tx: Connection, ids: Iterable[int]) -> dict[int, Chunk]:
    """The chunks of those ids that exist, retired ones too."""
    found: dict[int, Chunk] = {}
    for batch in batches(ids):
        found.update((row.id, _chunk(row)) for row in tx.execute(_CHUNKS.where(chunks.c.id.in_(batch))))
    return found


def one(tx: Connection, id: int) -> Chunk:
    """The chunk ``id``, retired or not. Raises NotFound."""
    chunk = get(tx, [id]).get(id)
    if chunk is None:
        raise NotFound(f"no chunk {id}")
    return chunk


def is_live(tx: Connection, id: int) -> bool:
    """Whether the chunk exists and is not retired."""
    return tx.execute(select(chunks.c.id).where(chunks.c.id == id, chunks.c.retired_at.is_(None))).scalar() is not None


def live_among(tx: Connection, ids: Iterable[int]) -> set[int]:
    """Those of the ids that exist and are not retired."""
    found: set[int] = set()
    for batch in batches(ids):
        found.update(
            tx.execute(select(chunks.c.id).where(chunks.c.id.in_(batch), chunks.c.retired_at.is_(None))).scalars()
        )
    return found


def by_hash(tx: Connection, hashes: Iterable[str]) -> dict[str, list[Chunk]]:
    """The chunks with these texts, live ones first, then by id. A hash without chunks is absent."""
    found: dict[str, list[Chunk]] = {}
    for batch in batches(hashes):
        rows = _CHUNKS.where(chunks.c.content_hash.in_(batch)).order_by(chunks.c.retired_at.isnot(None), chunks.c.id)
        for row in tx.execute(rows):
            found.setdefault(row.content_hash, []).append(_chunk(row))
    return found


def hashes_in(tx: Connection, repo: str) -> set[str]:
    """The content hashes of a repository's chunks, retired ones too."""
    query = select(chunks.c.content_hash).distinct().join_from(chunks, repos).where(repos.c.name == repo)
    return set(tx.execute(query).scalars())


def in_file(tx: Connection, repo: str, path: str) -> list[Chunk]:
    """The live chunks of a file in the order of their lines."""
    rows = _CHUNKS.where(repos.c.name == repo, chunks.c.path == path, chunks.c.retired_at.is_(None))
    return [_chunk(row) for row in tx.execute(rows.order_by(chunks.c.start_line, chunks.c.id))]


def count(tx: Connection, repo: str | None = None) -> int:
    """Live chunks, of one repository or of all."""
    query = select(func.count()).select_from(chunks).where(chunks.c.retired_at.is_(None))
    if repo is not None:
        query = query.join_from(chunks, repos).where(repos.c.name == repo)
    return tx.execute(query).scalar_one()


def live_vectors(
    tx: Connection, encoder: str, after_id: int, limit: int, repo: str | None = None
) -> list[tuple[int, str, Vector]]:
    """A page of (chunk id, repository name, vector of shape ``(d,)``) of live chunks with an id above ``after_id``."""
    query = _live_vectors(encoder).where(chunks.c.id > after_id).order_by(chunks.c.id).limit(limit)
    if repo is not None:
        query = query.where(repos.c.name == repo)
    return [(row.id, row.name, texts.unpack(row.vector)) for row in tx.execute(query)]


def live_vectors_among(tx: Connection, encoder: str, ids: Iterable[int]) -> list[tuple[int, str, Vector]]:
    """As ``live_vectors``: those of the ids that exist, are not retired and have a vector."""
    return [
        (row.id, row.name, texts.unpack(row.vector))
        for batch in batches(ids)
        for row in tx.execute(_live_vectors(encoder).where(chunks.c.id.in_(batch)))
    ]


def lacking_vectors(tx: Connection, encoder: str) -> list[int]:
    """The live chunks whose text ``encoder`` has not encoded yet."""
    encoded = exists().where(vectors.c.content_hash == chunks.c.content_hash, vectors.c.encoder == encoder)
    return list(tx.execute(select(chunks.c.id).where(chunks.c.retired_at.is_(None), ~encoded)).scalars())


def generation(tx: Connection) -> int:
    """The index generation: an in-memory vector index older than this must be filled again."""
    return int(meta.get(tx, _GENERATION) or 0)


def bump_generation(tx: Connection) -> int:
    """Say that the set of live chunks or their vectors changed; returns the new generation."""
    new = generation(tx) + 1
    meta.put(tx, _GENERATION, new)
    return new


_CHUNKS: Select[int, str, str, int, int, str, str, str, str] = (
    select(
        chunks.c.id,
        repos.c.name.label("repo"),
        chunks.c.path,
        chunks.c.start_line,
        chunks.c.end_line,
        chunks.c.symbol,
        chunks.c.language,
        chunks.c.content_hash,
        texts_table.c.text,
    )
    .join_from(chunks, repos)
    .join(texts_table, texts_table.c.content_hash == chunks.c.content_hash)
)


def _live_vectors(encoder: str) -> Select[int, str, bytes]:
    return (
        select(chunks.c.id, repos.c.name, vectors.c.vector)
        .join_from(chunks, repos)
        .join(vectors, vectors.c.content_hash == chunks.c.content_hash)
        .where(vectors.c.encoder == encoder, chunks.c.retired_at.is_(None))
    )


_FILE = (
    select(chunks.c.id, chunks.c.content_hash, chunks.c.start_line, chunks.c.end_line, chunks.c.symbol)
    .where(chunks.c.repo_id == bindparam("repo_id"), chunks.c.path == bindparam("file"), chunks.c.retired_at.is_(None))
    .order_by(chunks.c.start_line, chunks.c.id)
)

_MOVE = (
    update(chunks)
    .where(chunks.c.id == bindparam("chunk"))
    .values(start_line=bindparam("start"), end_line=bindparam("end"), symbol=bindparam("name"))
)


def _chunk(row: Row[Any, Any, Any, Any, Any, Any, Any, Any, Any]) -> Chunk:
    return Chunk(
        id=row.id,
        repo=row.repo,
        path=row.path,
        start_line=row.start_line,
        end_line=row.end_line,
        symbol=row.symbol,
        language=row.language,
        content_hash=row.content_hash,
        text=row.text,
    )


def _repo_id(tx: Connection, repo: str) -> int:
    found: int | None = tx.execute(
        select(repos.c.id).where(repos.c.name == repo, repos.c.removed_at.is_(None))
    ).scalar()
    if found is None:
        raise NotFound(f"no repository {repo!r}")
    return found


def _insert(tx: Connection, repo_id: int, path: str, drafts: Sequence[ChunkDraft]) -> tuple[int, ...]:
    if not drafts:
        return ()
    rows = [
        {
            "repo_id": repo_id,
            "path": path,
            "start_line": draft.start_line,
            "end_line": draft.end_line,
            "symbol": draft.symbol,
            "language": draft.language,
            "content_hash": draft.content_hash,
        }
        for draft in drafts
    ]
    ids = tuple(tx.execute(insert(chunks).returning(chunks.c.id, sort_by_parameter_order=True), rows).scalars())
    lexical.index(tx, [(id_, path, draft.symbol, draft.text) for id_, draft in zip(ids, drafts, strict=True)])
    return ids


def _refresh(tx: Connection, path: str, kept: Sequence[tuple[_Row, ChunkDraft]]) -> None:
    moved = [
        {"chunk": row.id, "start": draft.start_line, "end": draft.end_line, "name": draft.symbol}
        for row, draft in kept
        if (row.start_line, row.end_line, row.symbol) != (draft.start_line, draft.end_line, draft.symbol)
    ]
    if moved:
        tx.execute(_MOVE, moved)
    renamed = [(row.id, path, draft.symbol, draft.text) for row, draft in kept if row.symbol != draft.symbol]
    lexical.remove(tx, [id_ for id_, *_ in renamed])
    lexical.index(tx, renamed)
