"""Ratings as a file, backups taken while people rate, and what the doctor sees."""

from __future__ import annotations

import json
import sqlite3
import tarfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store import deployments, meta, sessions, signals
from store.database import Database
from store.types import Signal, SignalKind
from tests.integration.rankloop.conftest import Desk


def ratings(desk: Desk) -> list[Signal]:
    db = desk.database()
    with db.read() as tx:
        found = signals.in_force(tx)
    db.dispose()
    return found


def told(found: list[Signal]) -> set[tuple[str, str, str, int | None, str]]:
    return {(one.answer_id, one.actor, one.kind, one.chunk_id, repr(one.value)) for one in found}


def forget_ratings(desk: Desk) -> None:
    with sqlite3.connect(desk.data / "rankloop.db") as connection:
        connection.execute("DELETE FROM signals")
    connection.close()


def test_exported_ratings_come_back_once(desk: Desk, tmp_path: Path) -> None:
    before = ratings(desk)
    assert len(before) == 4
    file = tmp_path / "ratings.jsonl"
    assert "4 ratings" in desk.says("feedback", "export", file)
    assert "0 of 4" in desk.says("feedback", "import", file)
    forget_ratings(desk)
    assert "4 of 4" in desk.says("feedback", "import", file)
    assert told(ratings(desk)) == told(before)
    assert "0 of 4" in desk.says("feedback", "import", file)
    assert len(ratings(desk)) == 4


def test_what_was_said_since_stays_and_strangers_are_left_out(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "ratings.jsonl"
    desk.says("feedback", "export", file)
    thumb = next(one for one in ratings(desk) if one.kind is SignalKind.THUMB and one.actor == "ann")
    db = desk.database()
    with db.write() as tx:
        signals.put_rating(tx, thumb.answer_id, "ann", {"thumb": None}, thumb.created_at + timedelta(seconds=1))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines.append({**lines[0], "answer_id": "unknown"})
    lines.append({**lines[0], "kind": "correction", "value": True, "actor": "eve", "chunk_id": 10**9})
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    shown = desk.says("feedback", "import", file)
    assert "0 of 6" in shown
    assert "2 left out: about an answer or a chunk that is not known here" in shown
    with db.read() as tx:
        assert not [one for one in signals.in_force(tx, actor="ann") if one.kind is SignalKind.THUMB]
    db.dispose()


def test_a_flip_and_its_stars_are_taken_over_together(desk: Desk, tmp_path: Path) -> None:
    """Line by line, five stars would contradict the thumb down that is in force here."""
    answer = ratings(desk)[0].answer_id
    at = datetime.now(UTC).isoformat()
    said = [("stars", 5), ("thumb", "up")]
    rows = [
        {"answer_id": answer, "actor": "bob", "kind": kind, "chunk_id": None, "value": value, "created_at": at}
        for kind, value in said
    ]
    file = tmp_path / "flip.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "2 of 2" in desk.says("feedback", "import", file)
    now = {one.kind: one.value for one in ratings(desk) if one.actor == "bob" and one.chunk_id is None}
    assert now == {SignalKind.STARS: 5, SignalKind.THUMB: "up"}


def test_a_wrong_line_is_named_and_nothing_is_taken(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "ratings.jsonl"
    desk.says("feedback", "export", file)
    forget_ratings(desk)
    good = file.read_text()
    first = json.loads(good.splitlines()[0])
    for change in ({"value": "sideways"}, {"kind": "shout"}, {"created_at": "yesterday"}, {"chunk_id": "1"}):
        file.write_text(good + json.dumps({**first, "actor": "eve", **change}) + "\n")
        assert "line 5" in desk.refuses("feedback", "import", file), change
        assert not ratings(desk)


def test_a_backup_taken_while_people_write_restores_elsewhere(desk: Desk, empty: Desk, tmp_path: Path) -> None:
    desk.says("models", "promote", "1", "--reason", "to be kept", "--force")
    before = told(ratings(desk))
    db = desk.database()
    ended = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not ended.is_set():
            with db.write() as tx:
                meta.put(tx, "written", len(written))
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        file = tmp_path / "backup.tar"
        assert "MB" in desk.says("backup", file)
    finally:
        ended.set()
        writer.join()
    db.dispose()
    assert written
    assert "exists" in desk.refuses("backup", file)

    empty.says("restore", file)
    assert "already holds a database" in empty.refuses("restore", file)
    restored = Database.open(empty.settings.database)
    with restored.read() as tx:
        assert deployments.champion(tx).version_id == 1
    restored.dispose()
    assert told(ratings(empty)) == before
    assert empty.says("models", "verify").count("sound") == 2


def test_a_file_that_is_no_backup_is_refused(empty: Desk, tmp_path: Path) -> None:
    file = tmp_path / "some.tar"
    with tarfile.open(file, "w") as tar:
        tar.add(__file__, "notes.py")
    assert "not a Rankloop backup" in empty.refuses("restore", file)
    file.write_bytes(b"not a tar at all")
    assert "can't be unpacked" in empty.refuses("restore", file)
    assert not (empty.data / "rankloop.db").exists()


def test_the_doctor_finds_what_is_wrong(desk: Desk) -> None:
    well = desk.says("doctor")
    assert "fault" not in well
    assert "the champion does not rerank" in well
    db = desk.database()
    sessions.ensure_admin_token(db, desk.settings)
    db.dispose()
    (desk.data / "admin-token").chmod(0o644)
    with sqlite3.connect(desk.data / "rankloop.db") as connection:
        live = connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
        connection.execute("DELETE FROM vectors WHERE rowid = (SELECT min(rowid) FROM vectors)")
    connection.close()
    assert live > 1
    (weights,) = desk.settings.models_dir.glob("v0001-*/model.safetensors")
    weights.chmod(0o644)
    with weights.open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x01\x02\x03\x04")
    done = desk.run("doctor")
    assert done.exit_code == 1
    faults = [line for line in done.output.splitlines() if line.startswith("fault")]
    assert [line.split(":")[0] for line in faults] == ["fault admin token", "fault index", "fault versions"]
    assert "1 without a vector" in faults[1]
    assert "version 1: model.safetensors has changed" in faults[2]
    assert "chmod 600" in done.output
