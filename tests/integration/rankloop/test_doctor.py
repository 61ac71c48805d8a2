"""Real damages of a data directory: the doctor names each, and mends what can be mended without losing a rating."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from store import jobs, registry, sessions
from store.database import migrate
from store.engines.names import WEIGHTS_FILE
from store.types import JobKind
from tests.integration.rankloop.conftest import QUESTION, Desk
from tests.integration.rankloop.test_keep_cli import ratings, told
from tests.integration.server.engines import EXACT, publish_engine

Damage = Callable[[Desk], None]
RATINGS = 4


def faults(desk: Desk, *words: str) -> list[str]:
    """The lines of what is wrong."""
    return [line for line in desk.run("doctor", *words).output.splitlines() if line.startswith("fault")]


def sql(desk: Desk, *statements: str) -> None:
    with closing(sqlite3.connect(desk.data / "rankloop.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def weights(desk: Desk) -> Path:
    (file,) = desk.settings.models_dir.glob("v0001-*/model.safetensors")
    file.chmod(0o644)
    return file


def flip_a_bit(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def missing_model_file(desk: Desk) -> None:
    weights(desk).unlink()


def flipped_bit_of_a_model(desk: Desk) -> None:
    flip_a_bit(weights(desk), -100)


def models_is_a_file(desk: Desk) -> None:
    shutil.rmtree(desk.settings.models_dir)
    desk.settings.models_dir.write_text("in the way")


def damaged_page(desk: Desk) -> None:
    """The first page of the signals' table becomes zeros."""
    with closing(sqlite3.connect(desk.data / "rankloop.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'signals'").fetchone()[0]
    with (desk.data / "rankloop.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))


def no_database_at_all(desk: Desk) -> None:
    for file in desk.data.glob("rankloop.db*"):
        file.unlink()


def not_a_database(desk: Desk) -> None:
    no_database_at_all(desk)
    (desk.data / "rankloop.db").write_bytes(b"these are notes, not a database " * 100)


def another_database(desk: Desk) -> None:
    """Lost, and made anew by a start: no row names the versions that are here."""
    no_database_at_all(desk)
    migrate(desk.settings.database)
    db = desk.database()
    with db.write() as tx:
        registry.ensure_first_stage(tx, 0.1, datetime.now(UTC))
    db.dispose()


def number_that_never_was(desk: Desk) -> None:
    (desk.settings.models_dir / "v0099-0123456789ab").mkdir()


def newer_release(desk: Desk) -> None:
    sql(desk, "UPDATE alembic_version SET version_num = '9999'")


def altered_text(desk: Desk) -> None:
    sql(desk, "UPDATE texts SET text = replace(text, 'a', 'b') WHERE rowid = (SELECT min(rowid) FROM texts)")


def deleted_ratings_of_an_answer(desk: Desk) -> None:
    sql(desk, "PRAGMA foreign_keys=OFF", "DELETE FROM answers")


HOPELESS: dict[str, tuple[Damage, str]] = {
    "missing model file": (missing_model_file, "version 1: missing file: model.safetensors"),
    "flipped bit of a model": (flipped_bit_of_a_model, "version 1: model.safetensors has changed"),
    "a file where a folder belongs": (models_is_a_file, "models is no folder"),
    "damaged page": (damaged_page, "fault database: "),
    "no database": (no_database_at_all, "missing, though versions are here"),
    "no database but notes": (not_a_database, "can't be read: file is not a database"),
    "another database": (another_database, "kept: not in this database"),
    "a version that is not of this database": (number_that_never_was, "fault leftovers: v0099-0123456789ab kept"),
    "a newer release was here": (newer_release, "schema 9999, written by a newer release"),
    "altered text": (altered_text, "1 differ from their hash"),
    "dangling references": (deleted_ratings_of_an_answer, "dangling references"),
}


@pytest.mark.parametrize("name", HOPELESS)
def test_what_cannot_be_mended_is_named_with_advice_and_left_alone(desk: Desk, name: str) -> None:
    damage, words = HOPELESS[name]
    damage(desk)
    seen = desk.run("doctor")
    assert seen.exit_code == 1, seen.output
    lines = seen.output.splitlines()
    (number,) = [number for number, line in enumerate(lines) if line.startswith("fault") and words in line]
    assert lines[number + 1].startswith("      "), "what to do"
    assert "Traceback" not in seen.output
    before = content(desk)
    assert any(words in line for line in faults(desk, "--mend"))
    assert any(words in line for line in faults(desk)), "it is still there, and still told"
    assert content(desk) == before


def content(desk: Desk) -> dict[str, bytes]:
    """Everything but SQLite's own shared memory."""
    files = [
        file for file in desk.data.rglob("*") if file.is_file() and not file.name.endswith(("-shm", "-wal", ".lock"))
    ]
    return {file.relative_to(desk.data).as_posix(): file.read_bytes() for file in files}


def open_token(desk: Desk) -> None:
    _token(desk)
    (desk.data / "admin-token").chmod(0o644)


def missing_token(desk: Desk) -> None:
    _token(desk)
    (desk.data / "admin-token").unlink()


def empty_token(desk: Desk) -> None:
    _token(desk)
    (desk.data / "admin-token").write_text("")


def _token(desk: Desk) -> None:
    db = desk.database()
    sessions.ensure_admin_token(db, desk.settings)
    db.dispose()


def orphan_staging(desk: Desk) -> None:
    folder = desk.settings.models_dir / ".staging" / "base"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"half")
    os.utime(folder, (0, 0))


def version_without_a_row(desk: Desk) -> None:
    (desk.settings.models_dir / "v0002-0123456789ab").mkdir()


def dead_running_job(desk: Desk) -> None:
    now, db = datetime.now(UTC), desk.database()
    with db.write() as tx:
        jobs.enqueue(tx, JobKind.NIGHTLY, {}, "ann", now)
    assert jobs.claim(db, [JobKind.NIGHTLY], "trainer-gone-1-0", timedelta(seconds=1), now) is not None
    db.dispose()


def lost_vector(desk: Desk) -> None:
    sql(desk, "DELETE FROM vectors WHERE rowid = (SELECT min(rowid) FROM vectors)")


def cut_vector(desk: Desk) -> None:
    sql(desk, "UPDATE vectors SET vector = substr(vector, 1, 10) WHERE rowid = (SELECT min(rowid) FROM vectors)")


def vectors_ahead_of_their_mark(desk: Desk) -> None:
    sql(desk, "UPDATE meta SET value = json_set(value, '$.generation', 0) WHERE key = 'vector_index'")


def lexical_gap(desk: Desk) -> None:
    sql(desk, "DELETE FROM chunks_fts WHERE rowid = (SELECT min(rowid) FROM chunks_fts)")


def damaged_lexical_index(desk: Desk) -> None:
    sql(desk, "UPDATE chunks_fts_data SET block = x'00ff00ff' WHERE id > 10")


def damaged_index(desk: Desk) -> None:
    """A row that an index of its table does not know."""
    with closing(sqlite3.connect(desk.data / "rankloop.db", isolation_level=None)) as connection:
        where = "name = 'ix_signals_created_at'"
        row = connection.execute(
            f"SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE {where}"
        ).fetchone()
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(f"DELETE FROM sqlite_master WHERE {where}")
    sql(desk, "UPDATE signals SET created_at = '2026-01-01 00:00:00.000000' WHERE id = 1")
    with closing(sqlite3.connect(desk.data / "rankloop.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)


MENDABLE: dict[str, tuple[Damage, str]] = {
    "token open to others": (open_token, "fault admin token: readable by others"),
    "token lost": (missing_token, "fault admin token: its file is missing"),
    "token empty": (empty_token, "fault admin token: its file is empty"),
    "orphan staging": (orphan_staging, "fault leftovers: .staging/base"),
    "version without a row": (version_without_a_row, "fault leftovers: v0002-0123456789ab"),
    "dead running job": (dead_running_job, "running, but the worker is gone"),
    "vector lost": (lost_vector, "1 without a vector"),
    "vector cut short": (cut_vector, "1 damaged vectors"),
    "vectors ahead of their mark": (vectors_ahead_of_their_mark, "fault vector generation"),
    "chunk not in the lexical index": (lexical_gap, "1 chunks are not in the lexical index"),
    "damaged lexical index": (damaged_lexical_index, "fault lexical index"),
    "damaged index of a table": (damaged_index, "index ix_signals_created_at"),
}


@pytest.mark.parametrize("name", MENDABLE)
def test_what_can_be_made_again_is_mended_and_no_rating_lost(desk: Desk, name: str) -> None:
    damage, words = MENDABLE[name]
    before = told(ratings(desk))
    assert len(before) == RATINGS
    damage(desk)
    assert any(words in line for line in faults(desk)), desk.run("doctor").output
    assert any(words in line for line in faults(desk)), "looking changes nothing"
    mended = desk.run("doctor", "--mend")
    assert "mended: " in mended.output
    assert mended.exit_code == 0, mended.output
    assert "fault" not in desk.says("doctor")
    assert told(ratings(desk)) == before


def test_a_stale_lock_is_told_and_holds_nobody_up(desk: Desk) -> None:
    (desk.data / "trainer.lock").write_text('{"pid": 4194303}')
    assert "trainer.lock left by a process that is gone" in desk.says("doctor")
    assert "removed trainer.lock" in desk.says("doctor", "--mend")
    assert not (desk.data / "trainer.lock").exists()


def test_a_place_without_anything_is_left_as_it_is(empty: Desk) -> None:
    assert "there is no data directory" in empty.refuses("doctor")
    empty.data.mkdir()
    assert "made at the first start" in empty.says("doctor")
    assert not list(empty.data.iterdir()), "looking makes nothing"


def test_a_newer_database_is_refused_in_words_everywhere(desk: Desk) -> None:
    newer_release(desk)
    assert "written by a newer one" in desk.refuses("models", "list")
    assert "written by a newer one" in desk.refuses("serve", "--port", "0")


def test_the_mended_lexical_index_finds_what_the_first_one_found(desk: Desk) -> None:
    from store import lexical

    db = desk.database()
    with db.read() as tx:
        before = lexical.search(tx, QUESTION, None, 10)
    db.dispose()
    assert before
    damaged_lexical_index(desk)
    desk.says("doctor", "--mend")
    with db.read() as tx:
        assert lexical.search(tx, QUESTION, None, 10) == before
    db.dispose()


def test_it_says_which_engine_would_serve_and_names_a_damaged_one(desk: Desk) -> None:
    db = desk.database()
    version = publish_engine(db, desk.settings.models_dir)
    db.dispose()
    healthy = desk.run("doctor", RANKLOOP_RERANK_ENGINE=EXACT)
    assert f"{EXACT}: set by RANKLOOP_RERANK_ENGINE" in healthy.output
    assert healthy.exit_code == 0, healthy.output
    (file,) = desk.settings.models_dir.glob(f"{version.path}/{WEIGHTS_FILE}")
    file.chmod(0o644)
    flip_a_bit(file, -100)
    (fault,) = [line for line in faults(desk) if "engine" in line and EXACT in line]
    assert "torch-fp32" in fault


def test_a_data_directory_that_others_can_enter_is_named_and_left_as_it_is(desk: Desk) -> None:
    with TemporaryDirectory() as open_place:
        Path(open_place).chmod(0o755)
        data = Path(open_place) / "data"
        shutil.copytree(desk.data, data)
        moved = Desk(data, desk.models)
        for mode in (0o755, 0o711):
            data.chmod(mode)
            (fault,) = faults(moved)
            assert "every user of this machine can enter" in fault
            assert f"chmod 700 {data}" in moved.run("doctor", "--mend").output
            assert data.stat().st_mode & 0o777 == mode, "whoever made it may have meant it"
        for mode in (0o700, 0o770):
            data.chmod(mode)
            assert faults(moved) == []
        data.chmod(0o755)
        Path(open_place).chmod(0o700)
        assert faults(moved) == [], "nobody gets as far as there"
