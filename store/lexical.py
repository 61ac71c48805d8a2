"""Lexical search: SQLite FTS5 over code-aware tokens of path, symbol and text, ranked by BM25.

The index stores ready-made tokens and each query token is quoted, so that no query is FTS5 syntax.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.engine import Connection

from store.batches import batches
from store.tokens import code_tokens

QUERY_CHARACTERS = 8_192
"""A query is read this far."""
QUERY_TOKENS = 32
"""Distinct tokens of a query that are searched: the first ones, which is all of them in a question of a person."""
POSTINGS = 150_000
"""Occurrences (chunk, token) that one search reads at most, which is what its time grows with; docs/LOG.md has the
figures. A query with more loses its commonest tokens, which BM25 weighs least."""

_ADD = text("INSERT INTO chunks_fts (rowid, path, symbol, text) VALUES (:id, :path, :symbol, :text)")
_REMOVE = text("DELETE FROM chunks_fts WHERE rowid IN :ids").bindparams(bindparam("ids", expanding=True))
_SEARCH = text(
    "SELECT rowid AS id, -rank AS score FROM chunks_fts WHERE chunks_fts MATCH :match ORDER BY rank, rowid LIMIT :limit"
)
_JOINED = (
    "SELECT f.rowid AS id, -f.rank AS score FROM chunks_fts f JOIN chunks c ON c.id = f.rowid "
    "JOIN repos r ON r.id = c.repo_id WHERE chunks_fts MATCH :match AND {} "
    "ORDER BY f.rank, f.rowid LIMIT :limit"
)
_LAST = text("SELECT max(rowid) FROM chunks_fts")
_COUNT = text("SELECT count(*) FROM (SELECT 1 FROM chunks_fts WHERE chunks_fts MATCH :match LIMIT :limit)")
_SEARCH_REPO = text(_JOINED.format("r.name = :repo"))
_SEARCH_OTHERS = text(_JOINED.format("r.name NOT IN :hidden")).bindparams(bindparam("hidden", expanding=True))


def index(tx: Connection, entries: Iterable[tuple[int, str, str, str]]) -> None:
    """Add chunks as (chunk id, path, symbol, text). An id must not be in the index already."""
    rows = [
        {"id": id_, "path": _tokens(path), "symbol": _tokens(symbol), "text": _tokens(body)}
        for id_, path, symbol, body in entries
    ]
    if rows:
        tx.execute(_ADD, rows)


def remove(tx: Connection, ids: Iterable[int]) -> None:
    """Take chunks out of the index; unknown ids are ignored."""
    for batch in batches(ids):
        tx.execute(_REMOVE, {"ids": batch})


def search(
    tx: Connection, query: str, repo: str | None, limit: int, hidden: Collection[str] = ()
) -> list[tuple[int, float]]:
    """Up to ``limit`` (chunk id, BM25) that share a token with ``query``, best first; of ``hidden`` repositories none.

    BM25 as FTS5 computes it (k1 = 1.2, b = 0.75), with the sign turned so that more is better.
    Any text is a valid query; one without tokens finds nothing.
    """
    tokens = list(dict.fromkeys(code_tokens(query[:QUERY_CHARACTERS])))[:QUERY_TOKENS]
    if not tokens or limit < 1 or repo in hidden:
        return []
    match = " OR ".join(f'"{token}"' for token in _affordable(tx, tokens))
    values: dict[str, Any] = {"match": match, "limit": limit}
    if repo is not None:
        rows = tx.execute(_SEARCH_REPO, values | {"repo": repo})
    elif hidden:
        rows = tx.execute(_SEARCH_OTHERS, values | {"hidden": list(hidden)})
    else:
        rows = tx.execute(_SEARCH, values)
    return [(row.id, float(row.score)) for row in rows]


def _affordable(tx: Connection, tokens: list[str]) -> list[str]:
    """The rarest of the tokens with up to ``POSTINGS`` occurrences together, in their order."""
    if len(tokens) * (tx.execute(_LAST).scalar() or 0) <= POSTINGS:
        return tokens
    counted = [
        (int(tx.execute(_COUNT, {"match": f'"{token}"', "limit": POSTINGS}).scalar_one()), token) for token in tokens
    ]
    if sum(count for count, _ in counted) <= POSTINGS:
        return tokens
    kept: set[str] = set()
    left = POSTINGS
    for count, token in sorted(counted):
        left -= count
        if left < 0 and kept:
            break
        kept.add(token)
    return [token for token in tokens if token in kept]


def _tokens(text_: str) -> str:
    return " ".join(code_tokens(text_))
