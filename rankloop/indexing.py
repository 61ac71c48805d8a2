"""What ``rankloop index`` does: through the running server, or with the index taken over when there is none."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from rankloop.context import Context, open_context
from rankloop.follow import POLL_S, follow_job
from rankloop.locks import ProcessLock, holder, server_lock
from rankloop.watch import Watcher, look
from server import indexing_jobs
from store import jobs, repos
from store.errors import InvalidInput, RankloopError, Unavailable
from store.types import Job, JobState, Json, LeftOut

if TYPE_CHECKING:
    from store.encoder import Encoder

_SECRETS_SHOWN = 20


def checked_folder(path: Path) -> Path:
    """The absolute folder behind ``path``, a leading ``~`` included (not every shell expands it in ``REPO=~/code``).

    Raises InvalidInput when there is none.
    """
    folder = path.expanduser().resolve()
    if not folder.is_dir():
        raise InvalidInput(f"{path} is not a folder that can be indexed")
    return folder


def index_folder(path: Path, repo: str | None, *, watch: bool) -> None:
    """Index a folder and print what became of it; with ``watch`` go on until Ctrl-C."""
    folder = checked_folder(path)
    with open_context() as context:
        name = repo or indexing_jobs.free_name(context.db, folder)
        seen = look(folder) if watch else {}
        indexing = Indexing(context, name, folder)
        _report(context, name, indexing.run(lambda job: follow_job(context.db, job.id, context.console)))
        if watch:
            _keep_up(context, Watcher(folder, seen), lambda: indexing.run(partial(wait, context)))


def _keep_up(context: Context, watcher: Watcher, update: Callable[[], Job]) -> None:
    context.console.print("Keeping up with edits; Ctrl-C ends it.")
    try:
        for line in watcher.updates(update):
            context.console.print(line)
    except KeyboardInterrupt:
        context.console.print("No longer keeping up.")


def wait(context: Context, job: Job) -> Job:
    """The ended job. Raises Unavailable where nobody is left to run it."""
    while not job.state.ended:
        if job.state is JobState.QUEUED and holder(server_lock(context.settings.data)) is None:
            raise Unavailable("the server stopped before it had indexed; trying again")
        time.sleep(POLL_S)
        with context.db.read() as tx:
            job = jobs.get(tx, job.id)
    return job


class Indexing:
    """Index jobs of one folder: by the running server, else here, with the vector index owned while a job takes."""

    def __init__(self, context: Context, name: str, folder: Path) -> None:
        self._context, self._name, self._folder = context, name, folder
        self._encoder: Encoder | None = None

    def run(self, follow: Callable[[Job], Job]) -> Job:
        """A job that begins after this call, once it has ended."""
        context = self._context
        while True:
            job = indexing_jobs.start(context.db, self._name, str(self._folder), "command line", datetime.now(UTC))
            ended = follow(job) if context.server_url() else self._here(job, follow)
            if job.state is JobState.QUEUED:
                return ended

    def _here(self, job: Job, follow: Callable[[Job], Job]) -> Job:
        from server.indexing.worker import IndexWorker
        from store.encoder import Encoder
        from store.vectors import VectorIndex

        settings = self._context.settings
        with ProcessLock(server_lock(settings.data)):
            self._encoder = self._encoder or Encoder.load(settings.encoder)
            vectors = VectorIndex.open(settings.qdrant_dir, settings.qdrant_url, self._encoder.dimension)
            kept = vectors if settings.qdrant_url else None  # one in memory would be filled and thrown away
            worker = IndexWorker(self._context.db, self._encoder, kept, leave_out_secrets=settings.leave_out_secrets)
            worker.start()
            try:
                return follow(job)
            finally:
                worker.stop()
                vectors.close()


def _report(context: Context, name: str, job: Job) -> None:
    if job.state is not JobState.SUCCEEDED:
        raise RankloopError(f"indexing {name} ended as {job.state}: {job.error or 'no reason was recorded'}")
    result: Json = job.result or {}
    with context.db.read() as tx:
        secrets = repos.secrets(tx, name, _SECRETS_SHOWN)
    tell(context.console, name, result, secrets)


def tell(console: Console, name: str, result: Json, secrets: list[LeftOut]) -> None:
    """Print an indexing's result: counts, a warning where nothing is left to search, what was left out and why."""
    console.print(name, style="bold", end="", markup=False)
    console.print(
        f": {result.get('files', 0):,} files, {result.get('chunks', 0):,} chunks "
        f"({result.get('added', 0):,} new, {result.get('retired', 0):,} retired) in {result.get('seconds', 0):.1f} s"
    )
    if warning := result.get("warning"):
        console.print(f"Warning: {warning}", style="yellow", markup=False, soft_wrap=True)
    skipped: dict[str, int] = result.get("skipped") or {}
    if skipped:
        console.print("Files left out because:")
        for reason, count in sorted(skipped.items(), key=lambda item: -item[1]):
            console.print(f"  {count:>7,}  {reason.replace('_', ' ')}", markup=False)
    if secrets:
        total = result.get("secrets", 0)
        shown = f"; the first {_SECRETS_SHOWN}" if total > len(secrets) else ""
        console.print(f"Secrets left out: {total:,}{shown}")
        width = max(len(secret.kind) for secret in secrets)
        for secret in secrets:
            console.print(f"  {secret.kind:<{width}}  {secret.path}:{secret.line}", markup=False, soft_wrap=True)
