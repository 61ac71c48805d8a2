"""Docstring questions made at indexing, split by file.

One file in three gives the general set, which guards against forgetting and is never trained on. The others give code
questions, which training uses beside the ratings and which decide nothing. The guard comes first: below ``LEAST``
questions of its own it has them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from store.checks import clean
from store.errors import NotFound
from store.tables import general_queries, repos

LEAST = 50
"""Guard questions below which the gate only warns."""

Row = tuple[int, str, str, str]
"""(id, query, repository, content hash of the chunk that holds the definition)."""


def replace_for_repo(tx: Connection, repo: str, items: Sequence[tuple[str, str, str]]) -> None:
    """Make (query, path, content hash) the general questions of a repository; the texts must be stored.

    Raises NotFound for an unknown repository.
    """
    repo_id = tx.execute(select(repos.c.id).where(repos.c.name == repo, repos.c.removed_at.is_(None))).scalar()
    if repo_id is None:
        raise NotFound(f"no repository {repo!r}")
    tx.execute(delete(general_queries).where(general_queries.c.repo_id == repo_id))
    rows = [
        {"repo_id": repo_id, "query": clean(query, "a query"), "path": clean(path, "a path"), "content_hash": digest}
        for query, path, digest in items
    ]
    if rows:
        tx.execute(insert(general_queries), rows)


def guards(tx: Connection, limit: int) -> list[Row]:
    """Up to ``limit`` questions of the general set.

    Ordered by content hash, so that a part of them is a fair sample of every repository, the same one each time.
    """
    rows = _all(tx)
    own = [row for path, row in rows if guards_file(path)]
    return (own if len(own) >= LEAST else [row for _, row in rows])[:limit]


def for_training(tx: Connection, limit: int) -> list[Row]:
    """Up to ``limit`` code questions, from files that give the general set none; in the same order."""
    rows = _all(tx)
    others = [row for path, row in rows if not guards_file(path)]
    return others[:limit] if len(rows) - len(others) >= LEAST else []


def queries_in(tx: Connection, repo: str) -> set[str]:
    """The docstring questions of a repository, guards and others."""
    own = select(general_queries.c.query).join_from(general_queries, repos).where(repos.c.name == repo)
    return set(tx.execute(own).scalars())


def guards_file(path: str) -> bool:
    """Whether a file's docstring questions belong to the general set."""
    return sha256(path.encode()).digest()[-1] % 3 == 0


def _all(tx: Connection) -> list[tuple[str, Row]]:
    query = (
        select(
            general_queries.c.id,
            general_queries.c.query,
            repos.c.name,
            general_queries.c.content_hash,
            general_queries.c.path,
        )
        .join_from(general_queries, repos)
        .order_by(general_queries.c.content_hash, general_queries.c.id)
    )
    return [(row.path, (row.id, row.query, row.name, row.content_hash)) for row in tx.execute(query)]
