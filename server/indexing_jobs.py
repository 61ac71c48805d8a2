"""Index jobs as people ask for them: one at a time a repository, of a directory that is there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from store import jobs, repos
from store.checks import clean
from store.database import Connection, Database
from store.errors import Conflict, InvalidInput, NotFound
from store.types import Job, JobKind

RECENT = 500


def start(db: Database, name: str, path: str | None, requested_by: str, now: datetime) -> Job:
    """Queue the indexing of a repository; the job that is queued already where it is of the same directory.

    ``path`` None is where the repository was before. Raises NotFound for an unknown repository without a path,
    InvalidInput for a path that can't be indexed, Conflict where another directory has this name: indexing it would
    retire everything that was judged in the first.
    """
    with db.write() as tx:
        if path is None:
            try:
                path = repos.get(tx, name).path
            except NotFound as error:
                raise NotFound(f"no repository {name!r}; to add it, give its path") from error
        place = str(_readable(path))
        _refuse_another_place(tx, name, place)
        for job in jobs.list_all(tx, JobKind.INDEX, limit=RECENT):
            if job.state.ended or job.params.get("repo") != name:
                continue
            if job.params.get("path") != place:
                raise Conflict(f"Job {job.id} is indexing another directory as {name!r}; wait for it or cancel it.")
            if not job.cancel_requested:
                return job
        repos.add(tx, name, place, now)
        queued = jobs.enqueue(tx, JobKind.INDEX, {"repo": name, "path": place}, requested_by, now)
    assert queued is not None
    return queued


def free_name(db: Database, place: Path) -> str:
    """A name to index the folder ``place`` under: its own, or with its parent's where another folder has that one."""
    name = place.name or "code"
    with db.read() as tx:
        taken = {repo.name: repo.path for repo in repos.list_all(tx)}
    return name if taken.get(name, str(place)) == str(place) else f"{place.parent.name}-{name}"


def _refuse_another_place(tx: Connection, name: str, place: str) -> None:
    try:
        there = repos.get(tx, name).path
    except NotFound:
        return
    if there != place:
        raise Conflict(f"{name!r} is the repository at {there}; choose another name, or remove that one first")


def open_jobs(recent: Sequence[Job]) -> dict[str, int]:
    """Repository → the index job that is queued or running."""
    return {str(job.params.get("repo")): job.id for job in recent if not job.state.ended}


def refuse_while_indexing(recent: Sequence[Job], name: str) -> None:
    """Raises Conflict while ``name`` is being indexed."""
    job_id = open_jobs(recent).get(name)
    if job_id is not None:
        raise Conflict(f"Job {job_id} is indexing {name!r}; cancel it first.")


def _readable(path: str) -> Path:
    place = Path(clean(path, "the path")).expanduser()
    if not place.is_absolute():
        raise InvalidInput(f"{path!r} must be an absolute path on the server's machine")
    try:
        place = place.resolve()
        if not place.is_dir():
            raise InvalidInput(f"{path!r} is not a directory on the server's machine")
        os.listdir(place)  # noqa: PTH208 - only whether it may be read
    except (OSError, RuntimeError) as error:
        raise InvalidInput(f"{path!r} can't be read: {error}") from error
    return place
