"""Backup while everything runs, and restore on another machine.

A backup is one tar file: the database as of one moment (SQLite's online backup) and the immutable directory of every
version that the database names. The vector index is left out: it is rebuilt from the database.
"""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from store import manifest, registry
from store.database import Database
from store.errors import Conflict, InvalidInput, Unavailable
from store.private import make_private
from store.settings import Settings

DATABASE = "rankloop.db"
LOGS = ("rankloop.db-wal", "rankloop.db-shm", "rankloop.db-journal")
"""What SQLite keeps beside a database and would apply to whichever file stands there."""


def _sqlite_path(settings: Settings) -> Path:
    if settings.database_url is not None:
        raise InvalidInput("backup copies the embedded database; back up the one at DATABASE_URL with its own tools")
    return settings.data / DATABASE


def _copy_database(source: Path, target: Path) -> None:
    live, copy = sqlite3.connect(source), sqlite3.connect(target)
    try:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        # Who was signed out since the backup must not be signed in again by restoring it.
        with copy:
            copy.execute("DELETE FROM sessions")
    finally:
        copy.close()
        live.close()


def _version_paths(database: Path) -> list[str]:
    db = Database.open(f"sqlite:///{database}")
    try:
        with db.read() as tx:
            return [v.path for v in registry.list_all(tx, limit=1_000_000, offset=0) if v.path is not None]
    finally:
        db.dispose()


def backup(settings: Settings, target: Path) -> int:
    """Write the backup to ``target`` (whole or not at all) and return its size in bytes.

    Raises InvalidInput when there is nothing to back up, Conflict when ``target`` exists, Unavailable when it can't be
    written (a full disk).
    """
    source = _sqlite_path(settings)
    if not source.exists():
        raise InvalidInput(f"there is no database in {settings.data}")
    if target.exists():
        raise Conflict(f"{target} exists; choose another name")
    try:
        with tempfile.TemporaryDirectory(dir=target.resolve().parent) as scratch:
            copy = Path(scratch) / DATABASE
            _copy_database(source, copy)
            whole = Path(scratch) / "backup.tar"
            _pack(settings, copy, whole)
            manifest.fsync(whole)
            whole.rename(target)
            manifest.fsync(target.resolve().parent)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise Unavailable(f"{target} can't be written: {error}") from error
    return target.stat().st_size


def _pack(settings: Settings, database: Path, whole: Path) -> None:
    paths = _version_paths(database)
    whole.touch(mode=0o600)
    with tarfile.open(whole, "w") as tar:
        tar.add(database, DATABASE)
        for path in paths:
            tar.add(settings.models_dir / path, f"models/{path}")


def restore(settings: Settings, source: Path) -> None:
    """Unpack a backup into the data directory, which must not hold a database yet.

    Raises Conflict when it does, or holds what a removed one left (SQLite would apply that to the restored one),
    InvalidInput when the file is not a backup.
    """
    target = _sqlite_path(settings)
    if target.exists():
        raise Conflict(f"{settings.data} already holds a database; restore into an empty RANKLOOP_DATA")
    if left := [name for name in LOGS if (settings.data / name).exists()]:
        raise Conflict(
            f"{settings.data} holds {', '.join(left)} of another database: restore into an empty RANKLOOP_DATA, or "
            "move these files away first"
        )
    make_private(settings.data)
    with tempfile.TemporaryDirectory(dir=settings.data) as scratch:
        try:
            with tarfile.open(source, "r:") as tar:
                _check_members(source, tar)
                tar.extractall(scratch, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise InvalidInput(f"{source} can't be unpacked: {error}") from error
        _check_database(source, Path(scratch) / DATABASE)
        _forget_here(source, Path(scratch) / DATABASE)
        models = Path(scratch) / "models"
        if models.is_dir():
            settings.models_dir.mkdir(exist_ok=True)
            for directory in models.iterdir():
                place = settings.models_dir / directory.name
                shutil.rmtree(place, ignore_errors=True)  # left by a restore that was killed: no database names it
                manifest.fsync_tree(directory)
                directory.rename(place)
            manifest.fsync(settings.models_dir)
        manifest.fsync(Path(scratch) / DATABASE)
        (Path(scratch) / DATABASE).rename(target)
        manifest.fsync(settings.data)


def _check_members(source: Path, tar: tarfile.TarFile) -> None:
    names = [member.name for member in tar.getmembers()]
    if DATABASE not in names:
        raise InvalidInput(f"{source} is not a Rankloop backup: it holds no {DATABASE}")
    for member in tar.getmembers():
        parts = PurePosixPath(member.name).parts
        plain = member.isfile() or member.isdir()
        if not plain or not parts or ".." in parts or parts[0] not in (DATABASE, "models"):
            raise InvalidInput(f"{source} holds an entry that a backup never has: {member.name}")


def _check_database(source: Path, database: Path) -> None:
    """No release makes triggers or views: in a forged file they would act, or answer, in place of what is stored."""
    connection = sqlite3.connect(database)
    made: list[tuple[str, str]] = []
    try:
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        made = connection.execute("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchall()
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    finally:
        connection.close()
    if verdict != "ok":
        raise InvalidInput(f"the database in {source} is damaged: {verdict}")
    for kind, name in made:
        raise InvalidInput(f"the database in {source} holds a {kind}, which a backup never has: {name!r:.100}")


def _forget_here(source: Path, database: Path) -> None:
    """Sessions, again: the backup may have been made by an older release, or by somebody else. And what the vector
    index is said to hold.
    """
    connection = sqlite3.connect(database)
    try:
        with connection:
            connection.execute("DELETE FROM sessions")
            # A Qdrant server may hold what was there when the backup was made, or anything since.
            connection.execute("DELETE FROM meta WHERE key = 'vector_index'")
    except sqlite3.DatabaseError as error:
        raise InvalidInput(f"the database in {source} is not Rankloop's: {error}") from error
    finally:
        connection.close()
