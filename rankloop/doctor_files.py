"""What can be seen of a data directory without its database: space, folders, token, locks, the database file itself."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rankloop.findings import Finding, Patient
from rankloop.locks import holder, server_lock, trainer_lock
from rankloop.supervise import HUNG_S
from store import health, mending, sessions
from store.database import newest_schema, schema_version
from store.errors import RankloopError, Unavailable

FREE_BYTES_WANTED = 2 * 2**30
RESTORE = "stop the server, move this data directory away, and restore the latest backup: rankloop restore FILE"


def space(patient: Patient) -> Finding:
    free = shutil.disk_usage(patient.settings.data).free
    advice = "free some disk space: training writes a few hundred MB"
    return Finding("disk space", free > FREE_BYTES_WANTED, f"{free / 2**30:.1f} GiB free", advice)


def folders(patient: Patient) -> Finding:
    """Each folder must be one, and this user must be able to read and write it."""
    data = patient.settings.data
    faults = []
    for folder in (data, patient.settings.models_dir, patient.settings.qdrant_dir):
        if not os.path.lexists(folder):
            continue
        if not folder.is_dir():
            faults.append(f"{folder.name or folder} is no folder")
        elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            faults.append(f"{folder.name or folder} can't be read and written by this user")
    advice = f"give {data} and everything in it to the user that runs Rankloop; what is no folder belongs elsewhere"
    return Finding("folders", not faults, "; ".join(faults) or "readable and writable", advice)


def privacy(patient: Patient) -> Finding:
    """Whether other people of the machine can enter the data directory, and so read the database in it."""
    data = patient.settings.data.resolve()
    entered = all(folder.stat().st_mode & stat.S_IXOTH for folder in (data, *data.parents))
    advice = (
        f"chmod 700 {data}; where a group of people shall work in it: chmod 770. It was there before Rankloop, which "
        "leaves its mode to you"
    )
    detail = "every user of this machine can enter the data directory and read code, questions and ratings"
    return Finding("privacy", not entered, detail if entered else "other users can't enter the data directory", advice)


def token(patient: Patient) -> Finding:
    settings = patient.settings
    file = settings.data / "admin-token"
    if settings.admin_token is not None:
        return Finding("admin token", True, "of the settings")
    if not file.exists():
        with patient.db.read() as tx:
            kept = sessions.admin_token_is_kept(tx)
        if not kept:
            return Finding("admin token", True, "no file: it is the one of the settings, or made at the first start")
        advice = "a new one is made at the next start, or by rankloop doctor --mend; scripts need the new one"
        return Finding("admin token", False, "its file is missing", advice, _new_token(patient))
    if not file.read_text(encoding="utf-8", errors="replace").strip():
        advice = "start the server again, or run rankloop doctor --mend: a new one is made"
        return Finding("admin token", False, "its file is empty", advice, _new_token(patient))
    if stat.S_IMODE(file.stat().st_mode) & 0o077 == 0:
        return Finding("admin token", True, "private")

    def close() -> str:
        file.chmod(0o600)
        return "the token file is private now; change the token if others may have read it"

    return Finding("admin token", False, "readable by others", f"chmod 600 {file}", close)


def _new_token(patient: Patient) -> Callable[[], str]:
    def make() -> str:
        return f"a new token is in {sessions.ensure_admin_token(patient.db, patient.settings)}"

    return make


def processes(patient: Patient) -> Finding:
    """Who holds the locks. A lock is the kernel's: a file that a dead process left holds nobody up."""
    says, faults = [], []
    for name, file in _locks(patient):
        about = holder(file)
        if about is None:
            says.append(f"{name} does not run")
            continue
        says.append(f"{name} runs")
        silent = time.time() - file.stat().st_mtime
        if name == "trainer" and silent > HUNG_S:
            faults.append(f"the trainer (process {about.get('pid')}) has shown no sign of life for {silent:.0f} s")
    advice = "end that process with kill -9: the server starts another one, which takes the job up again"
    return Finding("processes", not faults, "; ".join(faults) or ", ".join(says), advice)


def stale_locks(patient: Patient) -> Finding:
    """Files that name a process which is gone: harmless, but they make people wonder."""
    stale = [file for _, file in _locks(patient) if file.exists() and holder(file) is None and file.stat().st_size]
    if not stale:
        return Finding("locks", True, "none left behind")

    def remove() -> str:
        for file in stale:
            if holder(file) is None:
                file.unlink(missing_ok=True)
        return f"removed {', '.join(file.name for file in stale)}"

    names = " and ".join(file.name for file in stale)
    return Finding("locks", True, f"{names} left by a process that is gone; nobody is held up", "", remove)


def _locks(patient: Patient) -> tuple[tuple[str, Path], ...]:
    data = patient.settings.data
    return ("server", server_lock(data)), ("trainer", trainer_lock(data))


def database_file(patient: Patient) -> Finding:
    """Is there a database that this release can work with? Nothing is created, nothing migrated."""
    settings = patient.settings
    if settings.database_url is not None:
        return Finding("database file", True, "the one at DATABASE_URL")
    file = settings.data / "rankloop.db"
    if not file.exists():
        if any(settings.models_dir.glob("v[0-9]*-*")) if settings.models_dir.is_dir() else False:
            return Finding("database file", False, "missing, though versions are here", RESTORE)
        return Finding("database file", True, "none yet: made at the first start")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            found = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
    except sqlite3.Error as error:
        return Finding("database file", False, f"can't be read: {error}", RESTORE)
    newest = newest_schema()
    if found == [newest]:
        return Finding("database file", True, f"schema {newest}, as this release wants it")
    if not found or found[0] > newest:
        advice = "install the newer release again, or restore a backup of this one"
        return Finding(
            "database file", False, f"schema {', '.join(found) or 'unknown'}, written by a newer release", advice
        )
    return Finding("database file", True, f"schema {found[0]}; the next start brings it to {newest}")


def is_current(patient: Patient) -> bool:
    """Whether there is a database of just this release's schema."""
    if patient.settings.database_url is None and not (patient.settings.data / "rankloop.db").is_file():
        return False  # looking would make one
    with patient.db.read() as tx:
        return schema_version(tx) == newest_schema()


def integrity(patient: Patient) -> Finding:
    try:
        with patient.db.read() as tx:
            faults = health.faults(tx)
    except Unavailable as error:  # so damaged that not even the check gets through
        return Finding("database", False, error.message, RESTORE)
    mendable = mending.index_faults_only(faults)

    def reindex() -> str:
        with patient.db.write() as tx:
            mending.reindex(tx)
        with patient.db.read() as tx:
            left = health.faults(tx)
        if left:
            raise RankloopError(f"the indexes were made again, and still: {left[0]}")
        return "the indexes were made again from their tables; the database is sound"

    detail = "; ".join(faults[:5]) or "sound"
    advice = "rankloop doctor --mend makes the indexes again; nothing is lost" if mendable else RESTORE
    return Finding("database", not faults, detail, advice, reindex if mendable else None)
