"""A backup is of one moment and whole or not there: while people rate, and on a disk that fills up."""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import deployments, meta, registry, sessions, signals
from store.database import Database
from store.loading import load_version
from store.settings import Settings
from store.types import Signal, SignalKind
from tests.integration.rankloop.conftest import QUESTION, Desk
from tests.integration.rankloop.test_keep_cli import ratings, told
from tests.integration.server.test_full_disk import files_no_larger_than

TEXTS = ["def load_config(path):\n    return json.load(path)", "class QueryCache: ...", "def logout(session): ..."]


class Raters(threading.Thread):
    """People who rate one after the other; ``acknowledged`` grows once a rating is on the disk."""

    def __init__(self, desk: Desk, answer: str) -> None:
        super().__init__(daemon=True)
        self._db, self._answer = desk.database(), answer
        self.acknowledged: list[str] = []
        self.ended = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.ended.is_set():
            with self._db.write() as tx:
                signals.put(tx, self._answer, f"p{number}", SignalKind.THUMB, None, "up", datetime.now(UTC))
            self.acknowledged.append(f"p{number}")
            number += 1
        self._db.dispose()


def scores(settings: Settings) -> tuple[int, list[float], list[float]]:
    """The champion, and what it gives a question's candidates."""
    db = Database.open(settings.database)
    with db.read() as tx:
        version = registry.get(tx, deployments.champion(tx).version_id)
    db.dispose()
    rerank, final = load_version(version, settings.models_dir).score(QUESTION, TEXTS, [0.3, 0.2, 0.1], [0.0, 1.0, 0.5])
    assert rerank is not None
    return version.id, rerank.tolist(), final.tolist()


def people(found: list[Signal]) -> set[str]:
    return {one.actor for one in found if one.kind is SignalKind.THUMB}


def test_a_restored_backup_has_the_champion_the_scores_and_the_ratings(desk: Desk, empty: Desk, tmp_path: Path) -> None:
    desk.says("models", "promote", "1", "--reason", "to be kept", "--force")
    raters = Raters(desk, ratings(desk)[0].answer_id)
    raters.start()
    try:
        while len(raters.acknowledged) < 5:
            raters.ended.wait(0.01)
        before = len(raters.acknowledged)
        desk.says("backup", tmp_path / "backup.tar")
        after = len(raters.acknowledged)
    finally:
        raters.ended.set()
        raters.join()
    empty.says("restore", tmp_path / "backup.tar")
    assert scores(empty.settings) == scores(desk.settings)
    restored = people(ratings(empty))
    assert set(raters.acknowledged[:before]) <= restored
    assert restored - {"ann", "bob"} <= set(raters.acknowledged[: after + 1])
    kept = {one for one in told(ratings(desk)) if one[1] in restored}
    assert told(ratings(empty)) == kept
    assert "fault" not in empty.says("doctor")


def test_what_a_removed_database_left_is_not_applied_to_the_restored_one(
    desk: Desk, empty: Desk, tmp_path: Path
) -> None:
    desk.says("backup", tmp_path / "backup.tar")
    empty.data.mkdir(exist_ok=True)
    for name in ("rankloop.db-wal", "rankloop.db-shm", "rankloop.db-journal"):
        (empty.data / name).write_bytes(b"of another database")
        assert name in empty.refuses("restore", tmp_path / "backup.tar")
        (empty.data / name).unlink()
    empty.says("restore", tmp_path / "backup.tar")
    assert told(ratings(empty)) == told(ratings(desk))


def test_a_backup_signs_nobody_in_again_and_is_its_owner_s_alone(desk: Desk, empty: Desk, tmp_path: Path) -> None:
    db, now = desk.database(), datetime.now(UTC)
    with db.write() as tx:
        token = sessions.create(tx, "session", "eve", "rater", timedelta(days=30), now)
    db.dispose()
    desk.says("backup", tmp_path / "backup.tar")
    assert (tmp_path / "backup.tar").stat().st_mode & 0o077 == 0
    db = desk.database()
    with db.read() as tx:
        assert sessions.lookup(tx, token, now) is not None, "it goes on where it was made"
    db.dispose()
    empty.says("restore", tmp_path / "backup.tar")
    db = empty.database()
    with db.read() as tx:
        assert sessions.lookup(tx, token, now) is None
    db.dispose()


def test_a_new_data_directory_is_its_owner_s_alone(tmp_path: Path) -> None:
    db = Database.open(Settings(data=tmp_path / "a" / "data").database)
    db.dispose()
    assert (tmp_path / "a" / "data").stat().st_mode & 0o077 == 0


def test_a_full_disk_leaves_no_half_backup_and_no_traceback(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "kept" / "backup.tar"
    file.parent.mkdir()
    size = (desk.data / "rankloop.db").stat().st_size
    for limit in (size // 2, size + 10_000):  # the database does not fit; the models beside it do not
        with files_no_larger_than(limit):
            assert "can't be written" in desk.refuses("backup", file)
        assert not list(file.parent.iterdir())
    assert "MB" in desk.says("backup", file)


def forged(file: Path, *statements: str) -> Path:
    """The backup with its database changed by somebody who knows SQLite."""
    folder = file.parent / "forged"
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(file) as tar:
        tar.extractall(folder, filter="data")
    with closing(sqlite3.connect(folder / "rankloop.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    with tarfile.open(file.parent / "forged.tar", "w") as tar:
        for path in folder.iterdir():
            tar.add(path, path.name)
    return file.parent / "forged.tar"


def test_a_restored_backup_signs_nobody_in_whoever_made_it(desk: Desk, empty: Desk, tmp_path: Path) -> None:
    """As releases made it that left the sessions in, or as somebody makes it who wants to be an administrator."""
    desk.says("backup", tmp_path / "backup.tar")
    row = f"('{sessions.hash_token('mine')}', 'session', 'eve', 'admin', '[]', '2026-01-01', '2999-01-01')"
    columns = "token_hash, kind, actor, role, groups, created_at, expires_at"
    empty.says("restore", forged(tmp_path / "backup.tar", f"INSERT INTO sessions ({columns}) VALUES {row}"))
    db = empty.database()
    with db.read() as tx:
        assert sessions.lookup(tx, "mine", datetime.now(UTC)) is None
    db.dispose()


def test_a_restored_backup_fills_the_vector_index_anew(desk: Desk, empty: Desk, tmp_path: Path) -> None:
    """A Qdrant server may hold anything by now, of another dimension even."""
    with desk.database().write() as tx:
        meta.put(tx, "vector_index", {"generation": 1, "encoder": "one", "points": 0})
    desk.says("backup", tmp_path / "backup.tar")
    empty.says("restore", tmp_path / "backup.tar")
    with empty.database().read() as tx:
        assert meta.get(tx, "vector_index") is None


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE TRIGGER back AFTER DELETE ON sessions BEGIN INSERT INTO sessions SELECT old.*; END", "a trigger"),
        ("CREATE VIEW more AS SELECT * FROM sessions", "a view"),
        ("DROP TABLE sessions", "no such table"),
    ],
)
def test_a_backup_with_what_no_release_makes_is_refused(
    desk: Desk, empty: Desk, tmp_path: Path, statement: str, words: str
) -> None:
    desk.says("backup", tmp_path / "backup.tar")
    assert words in empty.refuses("restore", forged(tmp_path / "backup.tar", statement))
    assert not (empty.data / "rankloop.db").exists()
