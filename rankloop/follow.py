"""A job followed in the terminal: stage, progress bar, time left."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from store import jobs
from store.database import Database
from store.types import Job, JobState

POLL_S = 0.3


def describe(data: dict[str, object]) -> str:
    """The measured side of a progress event in a few words: rate, loss, time left."""
    parts: list[str] = []
    for key, form in (("rate", "{:.0f}/s"), ("pairs_per_second", "{:.0f} pairs/s"), ("loss", "loss {:.4f}")):
        value = data.get(key)
        if isinstance(value, int | float):
            parts.append(form.format(value))
    left = data.get("seconds_left")
    if isinstance(left, int | float):
        parts.append(f"{left:.0f} s left" if left < 90 else f"{left / 60:.0f} min left")
    return ", ".join(parts)


def follow_job(db: Database, job_id: int, console: Console) -> Job:
    """Draw the job's progress until it ends and return it. Ctrl-C asks the job to stop and goes on following."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=console, transient=not console.is_terminal) as bar:
        task = bar.add_task(f"job {job_id}", total=1.0, detail="")
        last = 0
        while True:
            try:
                job, last = _poll(db, job_id, last, bar, task)
                if job.state.ended:
                    return job
                time.sleep(POLL_S)
            except KeyboardInterrupt:
                with db.write() as tx:
                    jobs.request_cancel(tx, job_id, datetime.now(UTC))
                console.print("Cancelling…")


def _poll(db: Database, job_id: int, last: int, bar: Progress, task: TaskID) -> tuple[Job, int]:
    with db.read() as tx:
        job = jobs.get(tx, job_id)
        events = jobs.events(tx, job_id, after_id=last, limit=200)
    for event in events:
        detail = describe(event.data)
        if detail:
            bar.update(task, detail=detail)
    stage = "waiting for the worker" if job.state is JobState.QUEUED else job.stage or job.state.value
    bar.update(task, completed=1.0 if job.state is JobState.SUCCEEDED else job.progress, description=stage)
    return job, events[-1].id if events else last
