"""Repositories: add, re-index, remove; files, chunks, what was skipped and why."""

from __future__ import annotations

from fastapi import APIRouter

from server import indexing_jobs
from server.deps import Admin, Key, State
from server.indexing import recover
from server.schemas.data import AdminRepo, RepoAccepted, RepoForm, SecretPlace, VisibilityForm, VisibilityView
from server.schemas.jobs import JobAccepted
from store import chunks, jobs, repos, visibility
from store.database import Connection
from store.types import JobKind
from store.visibility import Readers

router = APIRouter(prefix="/repos")
PLACES = 100


@router.get("")
def list_admin_repos(admin: Admin, state: State) -> list[AdminRepo]:  # noqa: ARG001
    """Repositories with file and chunk counts, and what was skipped."""
    with state.db.read() as tx:
        found = repos.list_all(tx)
        secrets = {repo.name: (repos.count_secrets(tx, repo.name), _places(tx, repo.name)) for repo in found}
        open_jobs = indexing_jobs.open_jobs(jobs.list_all(tx, JobKind.INDEX, limit=500))
    return [
        AdminRepo(
            id=repo.id,
            name=repo.name,
            path=repo.path,
            created_at=repo.created_at,
            indexed_at=repo.indexed_at,
            files=repo.files,
            chunks=repo.chunks,
            skipped=dict(repo.skipped),
            secrets=secrets[repo.name][0],
            secrets_at=secrets[repo.name][1],
            job_id=open_jobs.get(repo.name),
        )
        for repo in found
    ]


@router.post("", status_code=202)
def add_repo(admin: Admin, form: RepoForm, state: State) -> RepoAccepted:
    """Add a directory of the server's machine and index it."""
    job = indexing_jobs.start(state.db, form.name, form.path, admin, state.clock())
    return RepoAccepted(name=form.name, job_id=job.id)


@router.post("/{name:path}/index", status_code=202)
def reindex_repo(admin: Admin, name: Key, state: State) -> JobAccepted:
    """Index a repository again; only what changed is embedded."""
    return JobAccepted(job_id=indexing_jobs.start(state.db, name, None, admin, state.clock()).id)


@router.get("/{name:path}/visibility")
def get_visibility(admin: Admin, name: Key, state: State) -> VisibilityView:  # noqa: ARG001
    """Who may see a repository."""
    with state.db.read() as tx:
        return _readers(visibility.readers_of(tx, name))


@router.put("/{name:path}/visibility")
def put_visibility(admin: Admin, name: Key, form: VisibilityForm, state: State) -> VisibilityView:  # noqa: ARG001
    """Say who may see a repository: from the next request on, it does not exist for anybody else."""
    readers = Readers(form.restricted, frozenset(form.people), frozenset(form.groups))
    with state.db.write() as tx:
        return _readers(visibility.limit(tx, name, readers))


@router.delete("/{name:path}", status_code=204)
def delete_repo(admin: Admin, name: Key, state: State) -> None:  # noqa: ARG001
    """Remove a repository from search. What was judged in it is kept."""
    before = recover.held(state.db, state.vectors, state.encoder)
    with state.db.write() as tx:
        indexing_jobs.refuse_while_indexing(jobs.list_all(tx, JobKind.INDEX, limit=500), name)
        gone = repos.remove(tx, name, state.clock())
        after = chunks.bump_generation(tx)
    recover.forget(state.db, state.vectors, state.encoder, gone, before, after)


def _readers(readers: Readers) -> VisibilityView:
    return VisibilityView(restricted=readers.restricted, people=sorted(readers.people), groups=sorted(readers.groups))


def _places(tx: Connection, name: str) -> list[SecretPlace]:
    return [SecretPlace.model_validate(place) for place in repos.secrets(tx, name, PLACES)]
