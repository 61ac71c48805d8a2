from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from store import meta
from store.database import Database, migrate, schema_version
from store.errors import InvalidInput, Unavailable
from store.tables import metadata

WRITERS, WRITES = 8, 60


def increment(tx: Connection) -> None:
    meta.put(tx, "counter", int(meta.get(tx, "counter") or 0) + 1)


def write_many(url: str, times: int) -> None:
    database = Database.open(url)
    for _ in range(times):
        with database.write() as tx:
            increment(tx)
    database.dispose()


def test_connections_are_set_up_for_durable_concurrent_use(db: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    with db.read() as tx:
        assert {name: tx.execute(text(f"PRAGMA {name}")).scalar() for name in wanted} == wanted


def test_the_migrations_make_exactly_the_tables(db: Database) -> None:
    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and name is not None and name.startswith("chunks_fts"))

    with db.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "include_name": ours})
        assert compare_metadata(context, metadata) == []
        rows = tx.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        made = {row.name: row.sql for row in rows}
    assert made["chunks_fts"].startswith("CREATE VIRTUAL TABLE chunks_fts USING fts5(path, symbol, text")
    # Ids that are given to people or logs must never come back for something else.
    for table in metadata.tables.values():
        wanted = bool(table.dialect_options["sqlite"]["autoincrement"])
        assert ("AUTOINCREMENT" in made[table.name]) == wanted, table.name


def test_a_database_that_differs_from_the_tables_would_be_noticed(db: Database) -> None:
    with db.write() as tx:
        tx.execute(text("ALTER TABLE answers DROP COLUMN generator"))
    with db.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata)


def test_migrating_again_changes_nothing(url: str) -> None:
    migrate(url)
    database = Database.open(url)
    with database.read() as tx:
        assert schema_version(tx) == "0005"
    database.dispose()


def test_processes_that_migrate_at_once_agree(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    workers = [multiprocessing.get_context("spawn").Process(target=migrate, args=(url,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4


def test_a_database_that_was_never_migrated_has_no_version(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'empty.db'}")
    with database.read() as tx:
        assert schema_version(tx) is None
    database.dispose()


def test_a_write_that_raises_leaves_nothing(db: Database) -> None:
    def stop_half_way() -> None:
        with db.write() as tx:
            meta.put(tx, "half", 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    with db.read() as tx:
        assert meta.get(tx, "half") is None


def test_a_read_sees_one_moment_whatever_is_written_meanwhile(db: Database) -> None:
    with db.write() as tx:
        meta.put(tx, "moment", 1)
    with db.read() as reading:
        assert meta.get(reading, "moment") == 1
        with db.write() as tx:
            meta.put(tx, "moment", 2)
        assert meta.get(reading, "moment") == 1
    with db.read() as reading:
        assert meta.get(reading, "moment") == 2


def test_a_write_holds_the_turn_from_its_beginning(db: Database, tmp_path: Path) -> None:
    """BEGIN IMMEDIATE: another process can't begin to write even before the first statement."""
    with db.write():
        other = sqlite3.connect(tmp_path / "data" / "rankloop.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_write_inside_a_write_says_so_instead_of_waiting_for_itself(db: Database) -> None:
    with db.write() as tx:
        with pytest.raises(RuntimeError, match="pass its tx on"), db.write():
            pass
        increment(tx)
    with db.write() as tx:
        increment(tx)
        assert meta.get(tx, "counter") == 2


def test_threads_write_at_once_without_a_lost_update(db: Database) -> None:
    def work() -> None:
        for _ in range(WRITES):
            with db.write() as tx:
                increment(tx)

    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(work) for _ in range(WRITERS)]:
            done.result()
    with db.read() as tx:
        assert meta.get(tx, "counter") == WRITERS * WRITES


def test_processes_write_at_once_without_a_lost_update(db: Database) -> None:
    processes = [
        multiprocessing.get_context("spawn").Process(target=write_many, args=(db.url, WRITES)) for _ in range(WRITERS)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * WRITERS
    with db.read() as tx:
        assert meta.get(tx, "counter") == WRITERS * WRITES


def test_foreign_keys_are_enforced(db: Database) -> None:
    with pytest.raises(IntegrityError), db.write() as tx:
        tx.execute(text("INSERT INTO judgment_signals VALUES ('nothing', 1)"))


@pytest.mark.parametrize(
    "url", ["postgresql://db/rankloop", "postgresql+psycopg://u:secret@db/rankloop", "mysql://h/d"]
)
def test_another_database_is_refused_saying_when_it_comes(url: str) -> None:
    with pytest.raises(InvalidInput, match="PostgreSQL comes with a later version") as refused:
        Database.open(url)
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "sqlite+nothing:///x.db"])
def test_a_url_that_is_no_shared_file_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="sqlite:///path"):
        Database.open(url)


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(b"these are notes, not a database " * 100)
    with pytest.raises(Unavailable, match="damaged or no database"):
        migrate(f"sqlite:///{file}")


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="folder"):
        Database.open(f"sqlite:///{tmp_path / 'file' / 'rankloop.db'}")


def test_the_migrations_travel_with_an_installed_package(tmp_path: Path) -> None:
    """Installed, the alembic folder lies inside rankloop/, and beside store/ lies the library of that name."""
    root = Path(__file__).resolve().parents[3]
    site = tmp_path / "site"
    (site / "rankloop").mkdir(parents=True)
    shutil.copytree(root / "store", site / "store", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "rankloop" / "alembic").symlink_to(root / "alembic")
    url = f"sqlite:///{tmp_path / 'installed.db'}"
    script = f"import store.database as d; assert {str(site)!r} in d.__file__; d.migrate({url!r})"
    subprocess.run([sys.executable, "-c", script], cwd=site, check=True, env={"PYTHONPATH": str(site)})
    database = Database.open(url)
    with database.read() as tx:
        assert schema_version(tx) == "0005"
    database.dispose()
