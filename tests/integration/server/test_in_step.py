"""The vector index stays in step with SQL when an indexing is stopped or a repository removed: no second filling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.indexing.ingest import ingest
from server.indexing.recover import held, in_step
from store import chunks, texts
from store.database import Database
from store.encoder import Encoder
from store.errors import Cancelled, Unavailable
from store.types import Vector
from store.vectors import VectorIndex
from tests.integration.server.support import Running


class Failing:
    """An encoder that fails after a batch."""

    def __init__(self, inner: Encoder, error: Exception) -> None:
        self.inner, self.error = inner, error
        self.name, self.relax = inner.name, inner.relax

    def in_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vector]]:
        for batch in self.inner.in_batches(texts):
            yield batch
            raise self.error


class Desk:
    def __init__(self, db: Database, encoder: Encoder, vectors: VectorIndex, root: Path) -> None:
        self.db, self.encoder, self.vectors, self.root = db, encoder, vectors, root

    def write(self, first: int, count: int) -> None:
        self.root.mkdir(exist_ok=True)
        for n in range(first, first + count):
            (self.root / f"f{n}.py").write_text(f"def function_{n}(value):\n    return value * {n}\n")

    def index(self, cancelled: Callable[[], bool] = lambda: False, encoder: Encoder | Failing | None = None) -> None:
        used: Encoder = encoder or self.encoder  # type: ignore[assignment]
        ingest(self.db, used, self.vectors, "big", self.root, lambda: datetime.now(UTC), lambda _: None, cancelled)

    def encoded(self) -> set[int]:
        with self.db.read() as tx:
            return {id_ for id_, *_ in chunks.live_vectors(tx, self.encoder.name, 0, 10_000)}

    def cut(self) -> int:
        with self.db.read() as tx:
            return chunks.count(tx)

    def searchable(self) -> set[int]:
        return {id_ for id_, _ in self.vectors.search(self.encoder.encode_one("anything"), None, 10_000)}

    def whole(self) -> None:
        assert in_step(self.db, self.vectors, self.encoder)
        assert self.searchable() == self.encoded()


@pytest.fixture
def desk(index_db: Database, tiny_encoder: Encoder, vector_index: VectorIndex, tmp_path: Path) -> Desk:
    return Desk(index_db, tiny_encoder, vector_index, tmp_path / "big")


def stop_when_some_are_cut(desk: Desk) -> None:
    with pytest.raises(Cancelled):
        desk.index(cancelled=lambda: desk.cut() > 3)
    assert desk.encoded() < set(range(1, desk.cut() + 1))


def stop_when_some_are_encoded(desk: Desk) -> None:
    with pytest.raises(Cancelled):
        desk.index(cancelled=lambda: len(desk.encoded()) > 3)
    assert 3 < len(desk.encoded()) < desk.cut()


def fail_when_some_are_encoded(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError):
        desk.index(encoder=Failing(desk.encoder, ZeroDivisionError("broken")))
    assert 3 < len(desk.encoded()) < desk.cut()


@pytest.mark.parametrize("stop", [stop_when_some_are_cut, stop_when_some_are_encoded, fail_when_some_are_encoded])
def test_what_a_stopped_indexing_had_stored_is_found_at_once(
    desk: Desk, stop: Callable[[Desk], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(0, 3)
    desk.index()
    desk.whole()
    monkeypatch.setattr(VectorIndex, "rebuild", lambda *_: pytest.fail("the whole index was filled again"))
    desk.write(3, 150)
    (desk.root / "f0.py").unlink()
    stop(desk)
    desk.whole()
    desk.index()
    desk.whole()
    assert len(desk.searchable()) == desk.cut() == 152


def test_chunks_that_lack_a_vector_are_known_by_encoder(desk: Desk) -> None:
    desk.write(0, 10)
    desk.index()
    with desk.db.write() as tx:
        (digest,) = {chunk.content_hash for chunk in chunks.get(tx, [1]).values()}
        vector = texts.get_vectors(tx, desk.encoder.name, [digest])[digest]
        assert chunks.lacking_vectors(tx, "another") == list(range(1, 11))
        assert chunks.lacking_vectors(tx, desk.encoder.name) == []
        texts.put_vectors(tx, "another", {digest: vector})
        assert chunks.lacking_vectors(tx, "another") == list(range(2, 11))
        assert [id_ for id_, _, _ in chunks.live_vectors_among(tx, "another", range(99))] == [1]


def test_the_error_of_the_work_is_told_not_that_of_the_index(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(0, 3)
    desk.index()

    def refused(*_: object) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(VectorIndex, "upsert", refused)
    desk.write(3, 150)
    fail_when_some_are_encoded(desk)
    monkeypatch.undo()
    assert not in_step(desk.db, desk.vectors, desk.encoder)
    desk.index()
    desk.whole()


def test_removing_a_repository_hides_no_other_one_s_missing_vectors(own: Running, tmp_path: Path) -> None:
    """An indexing of another repository died after its chunks were stored, before they were in the vector index."""
    desk = Desk(own.state.db, own.encoder, own.state.vectors, tmp_path / "big")
    desk.write(0, 30)
    with pytest.raises(KeyboardInterrupt):
        desk.index(encoder=Failing(own.encoder, KeyboardInterrupt()))  # type: ignore[arg-type]
    gone = desk.searchable()
    own.admin("DELETE", "/repos/shop", 204)
    assert not desk.searchable() & gone
    assert not in_step(desk.db, desk.vectors, desk.encoder)
    desk.index()
    desk.whole()
    assert len(desk.searchable()) == 30


def test_removing_a_repository_leaves_an_index_that_was_in_step_in_step(
    own: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(own.state.db, own.encoder, own.state.vectors, tmp_path / "big")
    desk.write(0, 3)
    desk.index()
    before = held(desk.db, desk.vectors, desk.encoder)
    monkeypatch.setattr(VectorIndex, "rebuild", lambda *_: pytest.fail("the whole index was filled again"))
    own.admin("DELETE", "/repos/shop", 204)
    assert before is not None
    assert held(desk.db, desk.vectors, desk.encoder) == before + 1
    desk.whole()
    assert len(desk.searchable()) == 3
