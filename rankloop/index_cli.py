"""``rankloop index``: through the running server, or with the index taken over when there is none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rankloop.context import Context, fail_clearly, open_context
from rankloop.follow import follow_job
from rankloop.locks import ProcessLock, server_lock
from rankloop.serve import checked_folder
from server import indexing_jobs
from store import repos
from store.errors import RankloopError
from store.types import Job, JobState, Json

_SECRETS_SHOWN = 20


def register(app: typer.Typer) -> None:
    app.command()(index)


@fail_clearly
def index(
    path: Annotated[Path, typer.Argument(help="Folder to index.")],
    repo: Annotated[str | None, typer.Option(help="Name of the repository (default: the folder's name).")] = None,
) -> None:
    """Index a folder, or bring its index up to date. Unchanged chunks are never embedded again."""
    folder = checked_folder(path)
    with open_context() as context:
        name = repo or indexing_jobs.free_name(context.db, folder)
        job = indexing_jobs.start(context.db, name, str(folder), "command line", datetime.now(UTC))
        ended = follow_job(context.db, job.id, context.console) if context.server_url() else _index_here(context, job)
        _report(context, name, ended)


def _index_here(context: Context, job: Job) -> Job:
    """Own the vector index for as long as this job takes."""
    from server.indexing.worker import IndexWorker
    from store.encoder import Encoder
    from store.vectors import VectorIndex

    settings = context.settings
    with ProcessLock(server_lock(settings.data)):
        encoder = Encoder.load(settings.encoder)
        vectors = VectorIndex.open(settings.qdrant_dir, settings.qdrant_url, encoder.dimension)
        worker = IndexWorker(context.db, encoder, vectors, leave_out_secrets=settings.leave_out_secrets)
        worker.start()
        try:
            return follow_job(context.db, job.id, context.console)
        finally:
            worker.stop()
            vectors.close()


def _report(context: Context, name: str, job: Job) -> None:
    if job.state is not JobState.SUCCEEDED:
        raise RankloopError(f"indexing {name} ended as {job.state}: {job.error or 'no reason was recorded'}")
    result: Json = job.result or {}
    context.console.print(
        f"[bold]{name}[/bold]: {result.get('files', 0):,} files, {result.get('chunks', 0):,} chunks "
        f"({result.get('added', 0):,} new, {result.get('retired', 0):,} retired) in {result.get('seconds', 0):.1f} s"
    )
    skipped: dict[str, int] = result.get("skipped") or {}
    if skipped:
        table = Table("left out because", "files", title="Skipped files", title_justify="left")
        for reason, count in sorted(skipped.items(), key=lambda item: -item[1]):
            table.add_row(reason, f"{count:,}")
        context.console.print(table)
    with context.db.read() as tx:
        secrets = repos.secrets(tx, name, _SECRETS_SHOWN)
    if secrets:
        shown = f"; the first {_SECRETS_SHOWN}" if result.get("secrets", 0) > len(secrets) else ""
        table = Table(
            "kind", "where", title=f"Secrets left out: {result.get('secrets', 0):,}{shown}", title_justify="left"
        )
        for secret in secrets:
            table.add_row(secret.kind, f"{secret.path}:{secret.line}")
        context.console.print(table)
