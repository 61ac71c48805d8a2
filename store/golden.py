"""Golden questions: a team's own questions with the places that answer them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from store.checks import clean
from store.errors import InvalidInput, NotFound
from store.tables import chunks, golden, repos

QUERY_CHARACTERS = 8_000
ACTOR = "golden questions"
"""Who speaks in a judgment that golden questions stand behind."""
SAYS = "golden question "
"""What such a judgment's reason begins with."""


@dataclass(frozen=True, slots=True)
class Golden:
    """``expected`` holds paths (all chunks of the file) and chunk ids."""

    id: int
    query: str
    repo: str | None
    expected: tuple[str | int, ...]


def add(tx: Connection, query: str, repo: str | None, expected: Sequence[str | int], now: datetime) -> Golden:
    """Store a golden question; the same one again replaces what is expected.

    Raises InvalidInput for an empty query, or nothing or nonsense expected.
    """
    if not clean(query, "the query", QUERY_CHARACTERS).strip():
        raise InvalidInput("a golden question needs a query")
    places = list(dict.fromkeys(_place(place) for place in expected))
    if not places:
        raise InvalidInput("a golden question needs at least one path or chunk id that answers it")
    same = (golden.c.query == query) & (golden.c.repo.is_(None) if repo is None else golden.c.repo == repo)
    tx.execute(delete(golden).where(same))
    values = {"query": query, "repo": None if repo is None else clean(repo, "the repository", 200), "expected": places}
    made = tx.execute(insert(golden).values(**values, created_at=now).returning(golden.c.id))
    return Golden(int(made.scalar_one()), query, repo, tuple(places))


def list_all(tx: Connection) -> list[Golden]:
    """Every golden question, oldest first."""
    rows = tx.execute(select(golden).order_by(golden.c.id))
    return [Golden(row.id, row.query, row.repo, tuple(row.expected)) for row in rows]


def not_indexed(tx: Connection, question: Golden) -> list[str | int]:
    """The expected places that no live chunk of the question's repository, or of any, answers to."""
    live = select(chunks.c.id).where(chunks.c.retired_at.is_(None)).limit(1)
    owners = select(repos.c.id) if question.repo is None else select(repos.c.id).where(repos.c.name == question.repo)
    in_repos = live.where(chunks.c.repo_id.in_(owners))
    lost = []
    for place in question.expected:
        named = in_repos.where(chunks.c.path == place) if isinstance(place, str) else live.where(chunks.c.id == place)
        if tx.execute(named).first() is None:
            lost.append(place)
    return lost


def warnings(tx: Connection, question: Golden) -> list[str]:
    """A sentence for each expected place that is not in the index (yet), for whoever has just added the question."""
    where = "no repository holds" if question.repo is None else f"the repository {question.repo!r} does not hold"
    return [
        f"{where} {place}: it judges nothing until it is indexed. Paths begin below the repository's folder."
        if isinstance(place, str)
        else f"there is no chunk {place} in the index: it judges nothing."
        for place in not_indexed(tx, question)
    ]


def remove(tx: Connection, id: int) -> None:
    """Forget a golden question. Raises NotFound."""
    if tx.execute(delete(golden).where(golden.c.id == id).returning(golden.c.id)).scalar() is None:
        raise NotFound(f"no golden question {id}")


def _place(place: str | int) -> str | int:
    if isinstance(place, bool) or not isinstance(place, str | int):
        raise InvalidInput(f"expected places are paths or chunk ids, not {place!r:.40}")
    if isinstance(place, str) and not clean(place, "an expected path").strip():
        raise InvalidInput("an expected path is empty")
    return place
