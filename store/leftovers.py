"""What crashes leave in the models directory: staging that nobody works on, version directories without a row."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Connection, select

from store.tables import jobs, versions
from store.types import JobState

STAGING = ".staging"
_STALE_SECONDS = 24 * 3600.0


def find(tx: Connection, models_dir: Path) -> list[Path]:
    """What may be removed, sorted. In a write transaction it stays true until that ends."""
    known = {path for (path,) in tx.execute(select(versions.c.path).where(versions.c.path.is_not(None)))}
    found = [path for path in models_dir.glob("v[0-9]*-*") if path.name not in known]
    at_work = {JobState.QUEUED.value, JobState.RUNNING.value}
    active = {f"job-{i}" for (i,) in tx.execute(select(jobs.c.id).where(jobs.c.state.in_(at_work)))}
    found += [p for p in (models_dir / STAGING).glob("*") if p.name not in active and _is_stale(p, tx)]
    return sorted(found)


def _is_stale(path: Path, tx: Connection) -> bool:
    """A job's folder once its job has ended; another's (an import, the base) when nobody has touched it for a day."""
    number = path.name.removeprefix("job-")
    if number.isdigit() and tx.execute(select(jobs.c.id).where(jobs.c.id == int(number))).first() is not None:
        return True
    return time.time() - path.lstat().st_mtime > _STALE_SECONDS
