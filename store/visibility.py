"""Who may see which repository: the one rule, where it is kept, and what follows from it for chunks and answers.

A repository is everybody's until it is restricted; then it is its readers' (people and groups by name) and the
administrators'. To everybody else it does not exist: whatever takes a ``hidden`` leaves out the repositories of these
names, removed ones included, before anything is ranked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import CompoundSelect, delete, insert, or_, select, union_all, update
from sqlalchemy.engine import Connection

from store import repos as repo_store
from store.batches import batches
from store.checks import clean
from store.errors import NotFound
from store.tables import answers, chunks, impressions, repo_readers, repos

NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Readers:
    """Who may see a repository, administrators apart."""

    restricted: bool = False
    people: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. ``person`` is None where nobody is signed in; an administrator sees everything."""

    person: str | None = None
    groups: frozenset[str] = frozenset()
    admin: bool = False


def may_see(viewer: Viewer, readers: Readers) -> bool:
    """The rule."""
    if viewer.admin or not readers.restricted:
        return True
    return viewer.person in readers.people or not viewer.groups.isdisjoint(readers.groups)


def hidden(tx: Connection, viewer: Viewer) -> frozenset[str]:
    """Names of the repositories that the viewer may not see."""
    names = dict[int, str]((row.id, row.name) for row in tx.execute(_RESTRICTED))
    if not names or viewer.admin:
        return frozenset()
    known = _readers(tx, names)
    return frozenset(name for id_, name in names.items() if not may_see(viewer, known[id_]))


def readers_of(tx: Connection, repo: str) -> Readers:
    """Who may see a repository. Raises NotFound for one that is unknown or removed."""
    found = repo_store.get(tx, repo)
    restricted = bool(tx.execute(select(repos.c.restricted).where(repos.c.id == found.id)).scalar_one())
    known = _readers(tx, [found.id])[found.id]
    return Readers(restricted, known.people, known.groups)


def limit(tx: Connection, repo: str, readers: Readers) -> Readers:
    """Say who may see a repository. Raises NotFound, InvalidInput for a name that can't be stored."""
    id_ = repo_store.get(tx, repo).id
    rows = [
        {"repo_id": id_, "kind": kind, "name": clean(name, f"the name of a {kind}", NAME_CHARACTERS)}
        for kind, names in (("person", readers.people), ("group", readers.groups))
        for name in sorted(names)
    ]
    tx.execute(update(repos).where(repos.c.id == id_).values(restricted=readers.restricted))
    tx.execute(delete(repo_readers).where(repo_readers.c.repo_id == id_))
    if rows:
        tx.execute(insert(repo_readers), rows)
    return readers_of(tx, repo)


def check_repo(repo: str | None, hidden: Collection[str]) -> None:
    """Raises NotFound for a repository that is hidden, in the words for one that does not exist."""
    if repo is not None and repo in hidden:
        raise NotFound(f"no repository {repo!r}")


def check_chunk(tx: Connection, chunk_id: int | None, hidden: Collection[str]) -> None:
    """Raises NotFound for a chunk in a hidden repository, in the words for one that does not exist."""
    if chunk_id is not None and hidden and hidden_chunks(tx, [chunk_id], hidden):
        raise NotFound(f"no chunk {chunk_id}")


def hidden_chunks(tx: Connection, ids: Iterable[int], hidden: Collection[str]) -> set[int]:
    """Those of the chunks that are in hidden repositories."""
    found: set[int] = set()
    for batch in batches(ids) if hidden else ():
        rows = select(chunks.c.id).join_from(chunks, repos).where(chunks.c.id.in_(batch), repos.c.name.in_(hidden))
        found.update(tx.execute(rows).scalars())
    return found


def hidden_answers(tx: Connection, ids: Iterable[str], hidden: Collection[str]) -> set[str]:
    """Those of the answers that were written from a hidden repository, or after one that was in the same conversation:
    what they say may quote it, since a language model reads the earlier answers.
    """
    found: set[str] = set()
    for batch in batches(ids) if hidden else ():
        read = _read(batch).subquery()
        shown = (
            select(read.c.id)
            .distinct()
            .join_from(read, impressions, impressions.c.answer_id == read.c.source)
            .join(chunks, chunks.c.id == impressions.c.chunk_id)
            .join(repos, repos.c.id == chunks.c.repo_id)
            .where(impressions.c.shown, repos.c.name.in_(hidden))
        )
        found.update(tx.execute(shown).scalars())
    return found


def _read(ids: Iterable[str]) -> CompoundSelect[str, str]:
    """Pairs of an answer and one that it may repeat: itself, or an earlier one of its conversation (``source``)."""
    wanted, before = answers.c.id.in_(ids), answers.alias()
    follows = (before.c.conversation_id == answers.c.conversation_id) & or_(
        before.c.created_at < answers.c.created_at,
        (before.c.created_at == answers.c.created_at) & (before.c.id < answers.c.id),
    )
    earlier = select(answers.c.id, before.c.id.label("source")).join_from(answers, before, follows).where(wanted)
    return union_all(select(answers.c.id, answers.c.id.label("source")).where(wanted), earlier)


def check_answer(tx: Connection, answer_id: str, hidden: Collection[str]) -> None:
    """Raises NotFound for such an answer, in the words for one that does not exist."""
    if hidden_answers(tx, [answer_id], hidden):
        raise NotFound(f"no answer {answer_id!r}")


_RESTRICTED = select(repos.c.id, repos.c.name).where(repos.c.restricted)


def _readers(tx: Connection, ids: Iterable[int]) -> dict[int, Readers]:
    people: dict[int, set[str]] = {id_: set() for id_ in ids}
    groups: dict[int, set[str]] = {id_: set() for id_ in people}
    for batch in batches(people):
        for row in tx.execute(select(repo_readers).where(repo_readers.c.repo_id.in_(batch))):
            (people if row.kind == "person" else groups)[row.repo_id].add(row.name)
    return {id_: Readers(True, frozenset(people[id_]), frozenset(groups[id_])) for id_ in people}
