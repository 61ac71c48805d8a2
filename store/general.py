"""The general set: questions made at indexing from docstrings, which guard against forgetting. Never trained on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from store.checks import clean
from store.errors import NotFound
from store.tables import general_queries, repos


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


def list_all(tx: Connection, limit: int) -> list[tuple[int, str, str, str]]:
    """Up to ``limit`` (id, query, repository, content hash).

    Ordered by content hash, so that a part of them is a fair sample of every repository, the same one each time.
    """
    query = (
        select(general_queries.c.id, general_queries.c.query, repos.c.name, general_queries.c.content_hash)
        .join_from(general_queries, repos)
        .order_by(general_queries.c.content_hash, general_queries.c.id)
        .limit(limit)
    )
    return [(row.id, row.query, row.name, row.content_hash) for row in tx.execute(query)]
