"""The database: one SQLite file, transactions that are really ours, and its migrations.

Python's SQLite driver would open transactions by itself, deferred, which fails under concurrent
writers. Here the driver is in autocommit and every transaction begins with our own statement:
``BEGIN`` for reading (one consistent snapshot), ``BEGIN IMMEDIATE`` for writing (waits its turn).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from store.errors import Busy, InvalidInput, Unavailable
from store.private import make_private

__all__ = ["Connection", "Database", "migrate", "schema_version"]

BUSY_SECONDS = 30
_BEGIN = "rankloop_begin"


class Database:
    """An open database. Safe to share between threads; one write transaction at a time."""

    def __init__(self, url: str, engine: Engine) -> None:
        self.url = url
        self._engine = engine
        self._reading = engine.execution_options(**{_BEGIN: "BEGIN"})
        self._writing = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._turn = Lock()
        self._writer: int | None = None

    @classmethod
    def open(cls, url: str) -> Database:
        """Open the database at ``url``, creating its folder. It is not migrated: see ``migrate``.

        Raises InvalidInput for a URL that isn't SQLite, Unavailable when the file can't be opened.
        """
        parsed = _sqlite_url(url)
        assert parsed.database is not None
        try:
            make_private(Path(parsed.database).parent)
        except OSError as error:
            raise Unavailable(f"can't create the database's folder: {error}") from error
        engine = create_engine(
            parsed,
            connect_args={"timeout": BUSY_SECONDS},
            pool_size=32,
            max_overflow=-1,
            hide_parameters=True,  # they are questions, ratings and code: an error's text ends in the log
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return cls(url, engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: everything inside sees one moment. Writing in it is a mistake and not committed."""
        with _translated(), self._reading.connect() as tx, tx.begin() as transaction:
            yield tx
            transaction.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: committed, and durable, when the block ends; rolled back when it raises.

        Raises Busy when no turn came within 30 s. RuntimeError when this thread has one open already.
        """
        if self._writer == get_ident():
            raise RuntimeError("this thread has a write transaction open already: pass its tx on")
        # Threads queue here rather than in SQLite, whose waiting is a sleep of up to 100 ms at a time.
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise Busy("the database is busy with another write; try again")
        self._writer = get_ident()
        try:
            with _translated(), self._writing.begin() as tx:
                yield tx
        finally:
            self._writer = None
            self._turn.release()

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest schema, in one transaction. Safe to call from several processes.

    Raises what ``Database.open`` raises, and Unavailable when no migrations are found or a newer release was here.
    """
    database = Database.open(url)
    try:
        with database.write() as tx:
            config = Config()
            config.set_main_option("script_location", str(_migrations()))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = tx
            _refuse_newer(config, schema_version(tx))
            command.upgrade(config, "head")
    finally:
        database.dispose()


def schema_version(tx: Connection) -> str | None:
    """The migration that this database is at; None when it was never migrated."""
    return MigrationContext.configure(tx).get_current_revision()


def newest_schema() -> str:
    """The migration that this release brings a database to."""
    config = Config()
    config.set_main_option("script_location", str(_migrations()))
    config.set_main_option("path_separator", "os")
    return str(ScriptDirectory.from_config(config).get_current_head())


def _refuse_newer(config: Config, revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise Unavailable(
            f"the database is at schema {revision}, which this release does not know: it was written by a newer one. "
            "Install that again, or restore a backup"
        )


def _migrations() -> Path:
    """The alembic folder: inside the ``rankloop`` package when installed, else the checkout's own."""
    root = Path(__file__).resolve().parent.parent
    for folder in (root / "rankloop" / "alembic", root / "alembic"):
        if (folder / "env.py").is_file() and (folder / "versions").is_dir():
            return folder
    raise Unavailable(f"no migrations found below {root}; reinstall rankloop")


def _sqlite_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInput("the database URL is not one; expected sqlite:///path") from error
    if parsed.get_backend_name() != "sqlite":
        raise InvalidInput(
            f"a database of type {parsed.get_backend_name()!r} is not supported yet: PostgreSQL comes with a "
            "later version. Leave DATABASE_URL unset, or use sqlite:///path"
        )
    if parsed.get_driver_name() not in ("pysqlite", "") or not parsed.database or parsed.database == ":memory:":
        raise InvalidInput("the database must be a file that several processes can open: sqlite:///path")
    return parsed


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")
    _enter_wal(connection)


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. The first switch of a new file can meet another process doing the same, and doesn't wait."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


@contextmanager
def _translated() -> Iterator[None]:
    """SQLite's own failures as errors of ours, so that nobody above needs to know the library.

    Values that SQLite can't hold are refused wherever they came from: a path of a URL, a cookie, a body.
    """
    try:
        yield
    except OperationalError as error:
        if "locked" in str(error.orig):
            raise Busy("the database is busy with another write; try again") from error
        raise Unavailable(f"the database failed: {error.orig}") from error
    except UnicodeEncodeError as error:
        raise InvalidInput("a text contains a lone surrogate, which is not a character") from error
    except OverflowError as error:
        raise InvalidInput("a number is too large") from error
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and type(error.orig) is sqlite3.DatabaseError:
            raise Unavailable(f"the database file is damaged or no database: {error.orig}") from error
        raise
