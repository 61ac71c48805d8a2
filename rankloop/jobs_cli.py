"""``rankloop train`` and ``rankloop evaluate``: the trainer's jobs, now."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from rankloop.context import Context, fail_clearly, open_context
from rankloop.follow import follow_job
from rankloop.locks import ProcessLock, holder, trainer_lock
from store import jobs, snapshots
from store.errors import RankloopError
from store.types import Job, JobKind, JobState, Json


def register(app: typer.Typer) -> None:
    app.command()(train)
    app.command()(evaluate)


@fail_clearly
def train(
    recipe: Annotated[str | None, typer.Option(help="Recipe by name, e.g. seed (default: the setting).")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed, for a repeatable training.")] = None,
    pairs: Annotated[str | None, typer.Option(help="Train on this imported batch of pairs only.")] = None,
    snapshot: Annotated[
        str | None, typer.Option(help="Train again on this stored data set (its hash, or 8 or more characters of it).")
    ] = None,
) -> None:
    """Run the nightly job now: judgments, training, evaluation, gate, and promotion if it is automatic.

    With --snapshot it is a rehearsal of an earlier night: by that data set's recipe and seed unless others are given,
    against today's champion, and never promoted by itself.
    """
    params = {"recipe": recipe, "seed": seed, "pairs_batch": pairs, "snapshot": snapshot}
    _run(JobKind.NIGHTLY, {key: value for key, value in params.items() if value is not None})


@fail_clearly
def evaluate(version: Annotated[int | None, typer.Argument(help="Version (default: the champion).")] = None) -> None:
    """Evaluate a version on the held-out questions as they are judged today."""
    _run(JobKind.EVALUATE, {} if version is None else {"version": version})


def _run(kind: JobKind, params: Json) -> None:
    with open_context() as context:
        with context.db.write() as tx:
            if (name := params.get("snapshot")) is not None:
                params = {**params, "snapshot": snapshots.find(tx, name)}
            job = jobs.enqueue(tx, kind, params, "command line", datetime.now(UTC))
        assert job is not None
        if holder(trainer_lock(context.settings.data)) is None:
            ended = _work_here(context, job)
        else:
            context.console.print("A trainer is running; it takes the job.")
            ended = follow_job(context.db, job.id, context.console)
        _report(context, ended)


def _work_here(context: Context, job: Job) -> Job:
    from trainer.main import run

    stop = threading.Event()
    with ProcessLock(trainer_lock(context.settings.data)):
        worker = threading.Thread(target=run, args=(context.settings, stop), name="trainer")
        worker.start()
        try:
            return follow_job(context.db, job.id, context.console)
        finally:
            stop.set()
            worker.join()


def _report(context: Context, job: Job) -> None:
    if job.state is not JobState.SUCCEEDED:
        raise RankloopError(f"job {job.id} ended as {job.state}: {job.error or 'no reason was recorded'}")
    result: Json = job.result or {}
    print_metrics(context, result.get("metrics") or {})
    version = result.get("version")
    made = "no version was made" if version is None else f"version {version}"
    context.console.print(f"[bold]{result.get('decision') or 'done'}[/bold] ({made})")
    for reason in result.get("reasons") or []:
        context.console.print(f"  • {reason}", markup=False)


def print_metrics(context: Context, metrics: Json) -> None:
    """One table a kind of evidence: arms down, metrics across."""
    for evidence, arms in metrics.items():
        if not isinstance(arms, dict) or not all(isinstance(values, dict) for values in arms.values()):
            continue
        names = sorted({name for values in arms.values() for name in values})
        table = Table("", *names, title=evidence.replace("_", " "), title_justify="left")
        for arm, values in arms.items():
            cells = (values.get(name) for name in names)
            table.add_row(arm.replace("_", " "), *(f"{c:.4f}" if isinstance(c, float) else str(c or "") for c in cells))
        context.console.print(table)
