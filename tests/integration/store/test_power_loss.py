"""What the disk holds after power loss: everything up to the last forced write, and any part of what came later."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import signals
from store.database import Database
from store.types import SignalKind
from tests.integration.store.code import add_answer, add_chunks
from tests.integration.store.learning import NOW, open_database

RATINGS = 5
STEP = 701
"""Bytes between two cuts: no multiple of a page or a frame."""


@pytest.fixture
def written(tmp_path: Path) -> Iterator[tuple[Path, list[int]]]:
    """A database file with its log, and the log's length at each acknowledgement."""
    db = open_database(tmp_path)
    with db.write() as tx:
        add_answer(tx, "a1", add_chunks(tx, 3))
    file = Path(db.url.removeprefix("sqlite:///"))
    log = file.with_name(f"{file.name}-wal")
    lengths = []
    for number in range(RATINGS):
        with db.write() as tx:
            signals.put(tx, "a1", f"actor-{number}", SignalKind.THUMB, None, "up", NOW)
        lengths.append(log.stat().st_size)
    yield file, lengths
    db.dispose()


def after_power_loss(file: Path, folder: Path, cut: int, tail: bytes) -> Path:
    """Copies of file and log, the log as it was up to ``cut``, with ``tail`` where the rest had not arrived."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(file, folder / file.name)
    log = file.with_name(f"{file.name}-wal").read_bytes()
    rest = (tail * (len(log) - cut))[: len(log) - cut]
    (folder / f"{file.name}-wal").write_bytes(log[:cut] + rest)
    return folder / file.name


def actors(file: Path) -> set[str]:
    db = Database.open(f"sqlite:///{file}")
    try:
        with db.read() as tx:
            return {signal.actor for signal in signals.in_force(tx, "a1")}
    finally:
        db.dispose()


def sound(file: Path) -> bool:
    connection = sqlite3.connect(file)
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    finally:
        connection.close()


@pytest.mark.parametrize("tail", [b"", b"\0", b"\xff\x01"], ids=["cut off", "zeros", "garbage"])
def test_a_log_torn_at_any_byte_keeps_every_commit_before_it(
    written: tuple[Path, list[int]], tmp_path: Path, tail: bytes
) -> None:
    file, lengths = written
    assert lengths == sorted(set(lengths)), "each commit makes the log longer"
    for cut in sorted({*lengths, *range(lengths[0], lengths[-1], STEP)}):
        acknowledged = {f"actor-{number}" for number, length in enumerate(lengths) if length <= cut}
        torn = after_power_loss(file, tmp_path / "torn", cut, tail)
        assert actors(torn) == acknowledged, f"cut at {cut}"
        assert sound(torn)
