"""Repositories and the files of each that are indexed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection, Row

from store import chunks as chunk_store
from store.checks import clean
from store.errors import InvalidInput, NotFound
from store.tables import chunks, files, general_queries, repos
from store.types import LeftOut, Repo

NAME_CHARACTERS = 200
_HAS_SECRETS = func.json_array_length(files.c.secrets) > 0


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was when it was indexed: enough to know that it has not changed."""

    path: str
    size: int
    mtime_ns: int
    file_hash: str
    secrets: tuple[tuple[int, str], ...] = ()
    """(line from 1, kind) of each value that was left out of its text."""


def add(tx: Connection, name: str, path: str, now: datetime) -> Repo:
    """Add a repository, or give the one of that name this path. Raises InvalidInput for a name that can't be one."""
    if not name.strip() or name != name.strip() or not clean(name, "the name", NAME_CHARACTERS).isprintable():
        raise InvalidInput("a repository's name must be printable and not begin or end with a space")
    row = insert(repos).values(name=name, path=clean(path, "the path"), created_at=now, skipped={})
    tx.execute(row.on_conflict_do_update(index_elements=["name"], set_={"path": path, "removed_at": None}))
    return get(tx, name)


def get(tx: Connection, name: str) -> Repo:
    """The repository ``name``. Raises NotFound for one that is unknown or removed."""
    row = tx.execute(_repos().where(repos.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"no repository {name!r}")
    return _repo(row)


def list_all(tx: Connection) -> list[Repo]:
    """Every repository, by name."""
    return [_repo(row) for row in tx.execute(_repos().order_by(repos.c.name))]


def remove(tx: Connection, name: str, now: datetime) -> list[int]:
    """Hide a repository and retire its chunks, whose ids are returned. What was judged stays readable.

    Raises NotFound.
    """
    repo = get(tx, name)
    live = select(chunks.c.id).where(chunks.c.repo_id == repo.id, chunks.c.retired_at.is_(None))
    ids = list(tx.execute(live).scalars())
    chunk_store.retire(tx, ids, now)
    tx.execute(delete(files).where(files.c.repo_id == repo.id))
    tx.execute(delete(general_queries).where(general_queries.c.repo_id == repo.id))
    tx.execute(update(repos).where(repos.c.id == repo.id).values(removed_at=now, indexed_at=None, skipped={}))
    return ids


def finish_indexing(tx: Connection, name: str, skipped: Mapping[str, int], now: datetime) -> None:
    """Note that indexing ended, and how many files it left out by reason. Raises NotFound."""
    tx.execute(update(repos).where(repos.c.id == get(tx, name).id).values(indexed_at=now, skipped=dict(skipped)))


def known_files(tx: Connection, repo: str) -> dict[str, FileState]:
    """The indexed files of a repository by path. Raises NotFound."""
    rows = tx.execute(select(files).where(files.c.repo_id == get(tx, repo).id))
    return {
        row.path: FileState(
            row.path, row.size, int(row.mtime_ns), row.file_hash, tuple((line, kind) for line, kind in row.secrets)
        )
        for row in rows
    }


def secrets(tx: Connection, repo: str, limit: int = 200) -> list[LeftOut]:
    """Where values were left out of the repository's texts, by path and line. Raises NotFound."""
    found = select(files.c.path, files.c.secrets).where(files.c.repo_id == _id(tx, repo), _HAS_SECRETS)
    rows = tx.execute(found.order_by(files.c.path).limit(limit))
    return [LeftOut(row.path, line, kind) for row in rows for line, kind in row.secrets][:limit]


def count_secrets(tx: Connection, repo: str) -> int:
    """How many values were left out of the repository's texts. Raises NotFound."""
    n = func.coalesce(func.sum(func.json_array_length(files.c.secrets)), 0)
    return int(tx.execute(select(n).where(files.c.repo_id == _id(tx, repo))).scalar_one())


def put_file(tx: Connection, repo: str, state: FileState, *, cut: bool = True) -> None:
    """Note the state that a file was indexed in; a file that was cut again has no docstring questions for now.

    Raises NotFound, InvalidInput for a path that is not text.
    """
    values: dict[str, Any] = {"size": state.size, "mtime_ns": str(state.mtime_ns), "file_hash": state.file_hash}
    values["secrets"] = [list(place) for place in state.secrets]
    values |= {"questions": None} if cut else {}
    row = insert(files).values(repo_id=_id(tx, repo), path=clean(state.path, "the path"), **values)
    tx.execute(row.on_conflict_do_update(index_elements=["repo_id", "path"], set_=values))


def drop_file(tx: Connection, repo: str, path: str) -> None:
    """Forget a file; its chunks are retired with ``chunks.replace_file(…, [])``. Raises NotFound."""
    tx.execute(delete(files).where(files.c.repo_id == _id(tx, repo), files.c.path == path))


def file_questions(tx: Connection, repo: str) -> dict[str, list[tuple[str, str]] | None]:
    """(query, content hash) of each indexed file's docstrings by path; None where they are yet to be looked for.

    Raises NotFound.
    """
    rows = tx.execute(select(files.c.path, files.c.questions).where(files.c.repo_id == _id(tx, repo)))
    return {
        row.path: None if row.questions is None else [(query, digest) for query, digest in row.questions]
        for row in rows
    }


def put_file_questions(tx: Connection, repo: str, found: Mapping[str, list[tuple[str, str]]]) -> None:
    """Note the docstring questions of files by path. Raises NotFound."""
    repo_id = _id(tx, repo)
    for path, questions in found.items():
        own = update(files).where(files.c.repo_id == repo_id, files.c.path == path)
        tx.execute(own.values(questions=[list(question) for question in questions]))


def _id(tx: Connection, name: str) -> int:
    found: int | None = tx.execute(
        select(repos.c.id).where(repos.c.name == name, repos.c.removed_at.is_(None))
    ).scalar()
    if found is None:
        raise NotFound(f"no repository {name!r}")
    return found


def _repos() -> Select[*tuple[Any, ...]]:
    file_count = select(func.count()).select_from(files).where(files.c.repo_id == repos.c.id).scalar_subquery()
    live = (chunks.c.repo_id == repos.c.id) & chunks.c.retired_at.is_(None)
    chunk_count = select(func.count()).select_from(chunks).where(live).scalar_subquery()
    return select(repos, file_count.label("files"), chunk_count.label("chunks")).where(repos.c.removed_at.is_(None))


def _repo(row: Row[*tuple[Any, ...]]) -> Repo:
    return Repo(
        id=row.id,
        name=row.name,
        path=row.path,
        created_at=row.created_at,
        indexed_at=row.indexed_at,
        files=row.files,
        chunks=row.chunks,
        skipped=row.skipped,
    )
