"""What ``rankloop train`` and ``evaluate`` do: a trainer's job, in the running trainer or in this process."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from rich.table import Table

from rankloop.consoles import print_line
from rankloop.context import Context, open_context
from rankloop.follow import follow_job
from rankloop.locks import ProcessLock, holder, trainer_lock
from store import jobs, snapshots
from store.errors import RankloopError
from store.types import Job, JobKind, JobState, Json


def run_job(kind: JobKind, params: Json) -> None:
    """Queue a job and follow it, in the running trainer or else here. Raises RankloopError where it fails."""
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
        print_line(context.console, f"  • {reason}", 4)


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
