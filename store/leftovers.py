"""What crashes leave in the models directory: staging that nobody works on, version directories without a row.

A directory without a row is a crash's only if this database can have made it: its number is at most the next one and it
is no older than the database. With another database than theirs (lost, moved, a wrong ``DATABASE_URL``) published
versions have no row either, and nothing may remove those.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from sqlalchemy import Connection, func, select

from store.tables import jobs, versions
from store.types import FIRST_STAGE_VERSION, JobState

STAGING = ".staging"
_STALE_SECONDS = 24 * 3600.0
_NUMBER = re.compile(r"v(\d{1,18})-")


def find(tx: Connection, models_dir: Path) -> list[Path]:
    """What may be removed, sorted. In a write transaction it stays true until that ends."""
    found = [] if foreign(tx, models_dir) else _unknown(tx, models_dir)
    at_work = {JobState.QUEUED.value, JobState.RUNNING.value}
    active = {f"job-{i}" for (i,) in tx.execute(select(jobs.c.id).where(jobs.c.state.in_(at_work)))}
    found += [p for p in (models_dir / STAGING).glob("*") if p.name not in active and _is_stale(p, tx)]
    return sorted(found)


def foreign(tx: Connection, models_dir: Path) -> list[Path]:
    """Version directories without a row that this database can't have made, sorted.

    Where there is one, the database is perhaps not the directories': then none of them is taken for a leftover.
    """
    began = tx.execute(select(versions.c.created_at).where(versions.c.id == FIRST_STAGE_VERSION)).scalar()
    following = (tx.execute(select(func.max(versions.c.id))).scalar() or 0) + 1

    def ours(path: Path) -> bool:
        number = _NUMBER.match(path.name)
        if began is None or number is None or int(number.group(1)) > following:
            return False
        born: float = began.timestamp()
        return path.lstat().st_mtime >= born

    return sorted(path for path in _unknown(tx, models_dir) if not ours(path))


def _unknown(tx: Connection, models_dir: Path) -> list[Path]:
    known = {path for (path,) in tx.execute(select(versions.c.path).where(versions.c.path.is_not(None)))}
    return [path for path in models_dir.glob("v[0-9]*-*") if path.name not in known]


def _is_stale(path: Path, tx: Connection) -> bool:
    """A job's folder once its job has ended; another's (an import, the base) when nobody has touched it for a day."""
    number = path.name.removeprefix("job-")
    if number.isdigit() and tx.execute(select(jobs.c.id).where(jobs.c.id == int(number))).first() is not None:
        return True
    return time.time() - path.lstat().st_mtime > _STALE_SECONDS
