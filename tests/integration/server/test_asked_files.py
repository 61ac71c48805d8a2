"""An edit costs its own file: the docstring questions of the others are stored, and are those of a first reading."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import server.indexing.general
import server.indexing.ingest
from server.indexing.ingest import ingest
from server.indexing.walk import Found, Skipped, read
from store import general
from store.database import Database, migrate
from store.encoder import Encoder
from store.vectors import VectorIndex


class Desk:
    def __init__(self, db: Database, encoder: Encoder, vectors: VectorIndex, root: Path) -> None:
        self.db, self.encoder, self.vectors, self.root = db, encoder, vectors, root
        self.read: list[str] = []

    def write(self, name: str, *said: str) -> None:
        """A file with a function for each docstring."""
        self.root.mkdir(exist_ok=True)
        stem = name.removesuffix(".py")
        body = "\n\n".join(f'def {stem}_{n}():\n    """{one}."""\n    return {n}\n' for n, one in enumerate(said))
        (self.root / name).write_text(body or f"{stem} = 1\n")

    def index(self) -> list[str]:
        """The files that were read, each once."""
        self.read.clear()
        ingest(
            self.db, self.encoder, self.vectors, "shop", self.root, lambda: datetime.now(UTC), lambda _: None,
            lambda: False,
        )  # fmt: skip
        return sorted(set(self.read))

    def questions(self) -> list[tuple[str, str]]:
        with self.db.read() as tx:
            rows = [*general.guards(tx, 10_000), *general.for_training(tx, 10_000)]
        return sorted((query, digest) for _, query, _, digest in rows)


@pytest.fixture
def desk(
    index_db: Database,
    tiny_encoder: Encoder,
    vector_index: VectorIndex,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    made = Desk(index_db, tiny_encoder, vector_index, tmp_path / "shop")

    def noted(found: Found) -> str | Skipped:
        made.read.append(found.path)
        return read(found)

    monkeypatch.setattr(server.indexing.general, "read", noted)
    monkeypatch.setattr(server.indexing.ingest, "read", noted)
    return made


def afresh(desk: Desk, tmp_path: Path) -> list[tuple[str, str]]:
    """The questions of the same folder in a database that has never seen it."""
    url = f"sqlite:///{tmp_path / 'afresh.db'}"
    migrate(url)
    db = Database.open(url)
    vectors = VectorIndex.open(None, None, desk.encoder.dimension)
    other = Desk(db, desk.encoder, vectors, desk.root)
    other.index()
    found = other.questions()
    vectors.close()
    db.dispose()
    (tmp_path / "afresh.db").unlink()
    return found


def test_an_edit_of_one_file_reads_only_that_file(desk: Desk) -> None:
    for n in range(12):
        desk.write(f"f{n}.py", *(["Find the user who has this name"] if n == 3 else []))
    assert len(desk.index()) == 12
    assert desk.index() == []
    desk.write("f5.py", "Send the letter to all customers")
    assert desk.index() == ["f5.py"]
    assert [query for query, _ in desk.questions()] == [
        "Find the user who has this name", "Send the letter to all customers"
    ]  # fmt: skip
    (desk.root / "f3.py").unlink()
    assert desk.index() == []
    assert [query for query, _ in desk.questions()] == ["Send the letter to all customers"]
    (desk.root / "f5.py").touch()
    assert desk.index() == ["f5.py"]
    assert desk.index() == []
    assert len(desk.questions()) == 1


def test_whatever_the_order_of_edits_the_questions_are_those_of_the_folder(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.indexing.general, "MOST", 9)
    same = "Keep what everybody says in this place"
    for n in range(8):
        desk.write(f"f{n}.py", same, f"Count the number {n} among all parts", f"Draw the picture {n} on that wall")
    desk.index()
    first = desk.questions()
    assert len(first) == 9
    assert first == afresh(desk, tmp_path)
    for n in (2, 6, 0, 5):  # who says it first no longer does; files beyond the limit move up
        desk.write(f"f{n}.py", f"Open the door {n} for the guests")
        desk.index()
        assert desk.questions() == afresh(desk, tmp_path), n
    for n in (6, 1, 3):
        (desk.root / f"f{n}.py").unlink()
        desk.index()
        assert desk.questions() == afresh(desk, tmp_path), n
    for n in range(8):
        desk.write(f"f{n}.py", same, f"Count the number {n} among all parts", f"Draw the picture {n} on that wall")
    desk.index()
    assert desk.questions() == first
