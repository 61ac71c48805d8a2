"""Indexing a folder into SQLite, FTS5 and Qdrant: again, after changes, after a stop at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.indexing.embed import embed_missing
from server.indexing.ingest import IngestResult, ingest
from server.indexing.progress import Progress
from server.indexing.recover import in_step, sync_index
from store import chunks, general, lexical, repos, texts
from store.database import Database
from store.encoder import Encoder
from store.errors import Cancelled, InvalidInput
from store.types import Vector
from store.vectors import VectorIndex

FILES = {
    "app/users.py": 'def find_user(name):\n    """Find the user with this name in the list.\n\n    More."""\n'
    + "    for user in load():\n        if user.name == name:\n            return user\n    return None\n" * 3,
    "app/tokens.py": "def make_token(user):\n    return sign(user.name, secret())\n",
    "README.md": "# Shop\n\nIt sells things.\n",
    "conf/app.toml": "[server]\nport = 8000\n",
    ".gitignore": "*.log\n",
    "debug.log": "nothing",
    ".env": "SECRET=1",
    "logo.bin": "x",
}


class Counting:
    """An encoder that counts what it is asked to encode and can die in the middle."""

    def __init__(self, inner: Encoder, die_after: int | None = None) -> None:
        self.inner = inner
        self.name = inner.name
        self.dimension = inner.dimension
        self.encoded: list[str] = []
        self.die_after = die_after

    def in_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vector]]:
        for places, vectors in self.inner.in_batches(texts):
            if self.die_after is not None and len(self.encoded) >= self.die_after:
                raise KeyboardInterrupt
            self.encoded += [texts[place] for place in places]
            yield places, vectors

    def relax(self) -> None:
        self.inner.relax()


class Bench:
    """One repository folder with what it is indexed into."""

    def __init__(self, db: Database, encoder: Encoder, vectors: VectorIndex, root: Path) -> None:
        self.db, self.vectors, self.root = db, vectors, root
        self.encoder = Counting(encoder)
        self.progress: list[Progress] = []
        for name, content in FILES.items():
            self.write(name, content)

    def write(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def index(self, cancelled: Callable[[], bool] = lambda: False, encoder: Counting | None = None) -> IngestResult:
        used: Encoder = encoder or self.encoder  # type: ignore[assignment]
        return ingest(
            self.db, used, self.vectors, "shop", self.root, lambda: datetime.now(UTC), self.progress.append, cancelled
        )

    def live(self) -> dict[int, str]:
        with self.db.read() as tx:
            page = chunks.live_vectors(tx, self.encoder.name, 0, 10_000)
            return {id_: chunk.text for id_, chunk in chunks.get(tx, [id_ for id_, *_ in page]).items()}

    def searchable(self) -> set[int]:
        vector = self.encoder.inner.encode_one("anything")
        return {id_ for id_, _ in self.vectors.search(vector, "shop", 10_000)}

    def lexical(self, query: str) -> list[str]:
        with self.db.read() as tx:
            ids = [id_ for id_, _ in lexical.search(tx, query, "shop", 10)]
            found = chunks.get(tx, ids)
            return [found[id_].path for id_ in ids]

    def complete(self) -> None:
        """Everything live is found by both searches, nothing else is, and nothing is left to do."""
        live = self.live()
        with self.db.read() as tx:
            assert chunks.count(tx) == len(live)
            assert texts.missing_count(tx, self.encoder.name) == 0
        assert self.searchable() == set(live)
        assert in_step(self.db, self.vectors, self.encoder.inner)


@pytest.fixture
def bench(index_db: Database, tiny_encoder: Encoder, vector_index: VectorIndex, tmp_path: Path) -> Bench:
    return Bench(index_db, tiny_encoder, vector_index, tmp_path / "shop")


def test_a_folder_becomes_searchable(bench: Bench) -> None:
    result = bench.index()
    assert result.files == len(FILES) - 3
    assert result.skipped == {"ignored": 1, "secret": 1, "binary": 1}
    assert result.added == result.chunks == len(bench.live())
    bench.complete()
    assert bench.lexical("make_token")[0] == "app/tokens.py"
    with bench.db.read() as tx:
        repo = repos.get(tx, "shop")
        (chunk,) = chunks.in_file(tx, "shop", "app/tokens.py")
    assert (repo.files, repo.chunks, dict(repo.skipped)) == (result.files, result.chunks, result.skipped)
    assert repo.indexed_at is not None
    assert (chunk.symbol, chunk.language, chunk.start_line, chunk.end_line) == ("make_token", "python", 1, 2)
    assert [p.stage for p in bench.progress if p.done == 0][:3] == ["walk", "cut", "embed"]
    embedded = [p for p in bench.progress if p.stage == "embed"][-1]
    assert embedded.done == embedded.total == result.embedded
    assert embedded.seconds_left == 0
    assert embedded.rate is not None
    assert embedded.rate > 0


def test_the_second_time_nothing_is_done_again(bench: Bench) -> None:
    first = bench.index()
    before = bench.live()
    bench.encoder.encoded.clear()
    (bench.root / "README.md").touch()
    second = bench.index()
    assert bench.encoder.encoded == []
    assert (second.added, second.retired, second.unchanged) == (0, 0, first.files)
    assert (second.chunks, second.skipped) == (first.chunks, first.skipped)
    assert bench.live() == before


def test_only_what_changed_is_embedded_and_the_rest_keeps_its_id(bench: Bench) -> None:
    bench.index()
    before = bench.live()
    bench.encoder.encoded.clear()
    moved = "def make_token(user):\n    return sign(user.name, secret())\n"
    body = "".join(f"    check(token, {n}, strict=True)\n" for n in range(9))
    bench.write("app/tokens.py", f"def check_token(token):\n{body}\n\n{moved}" + body)
    bench.write("app/copy.py", FILES["app/users.py"])
    (bench.root / "README.md").unlink()
    result = bench.index()
    bench.complete()
    gone = set(before) - set(bench.live())
    assert {before[id_] for id_ in gone} == {FILES["README.md"].strip(), moved.strip()}
    assert len(bench.encoder.encoded) == result.embedded == 2, "the copied file's text had its vector already"
    assert result.retired == len(gone)
    assert bench.lexical("sells things") == []


def test_a_skipped_file_leaves_the_index(bench: Bench) -> None:
    bench.index()
    bench.write(".gitignore", "*.log\n/app/tokens.py\n")
    bench.index()
    bench.complete()
    assert bench.lexical("make_token") == []
    bench.write("README.md", "a\x00b")
    assert bench.index().skipped["binary"] == 2
    assert bench.lexical("sells things") == []
    bench.complete()


def test_cancelled_in_the_middle_it_is_finished_by_the_next_run(bench: Bench) -> None:
    for n in range(150):
        bench.write(f"gen/f{n}.py", f"def function_{n}():\n    return {n}\n")
    answers = iter([False] * 4 + [True] * 1000)
    with pytest.raises(Cancelled):
        bench.index(cancelled=lambda: next(answers))
    bench.index()
    bench.complete()
    assert len(bench.encoder.encoded) == len(set(bench.encoder.encoded)), "nothing was embedded twice"


@pytest.mark.parametrize("die_after", [0, 64, 128])
def test_a_process_that_died_is_repaired_at_the_next_start(bench: Bench, die_after: int) -> None:
    for n in range(150):
        bench.write(f"gen/f{n}.py", f"def function_{n}():\n    return {n}\n")
    with pytest.raises(KeyboardInterrupt):
        bench.index(encoder=Counting(bench.encoder.inner, die_after))
    assert not in_step(bench.db, bench.vectors, bench.encoder.inner)
    sync_index(bench.db, bench.vectors, bench.encoder.inner)
    assert len(bench.searchable()) == die_after
    embed_missing(bench.db, bench.encoder.inner, lambda _: None, lambda: False)
    assert sync_index(bench.db, bench.vectors, bench.encoder.inner)
    bench.complete()
    bench.index()
    bench.complete()


def test_a_lost_vector_index_is_filled_from_sql(bench: Bench, tiny_encoder: Encoder) -> None:
    bench.index()
    found = bench.searchable()
    bench.vectors = VectorIndex.open(None, None, tiny_encoder.dimension)
    assert sync_index(bench.db, bench.vectors, tiny_encoder)
    assert bench.searchable() == found
    assert not sync_index(bench.db, bench.vectors, tiny_encoder), "once is enough"
    bench.vectors.close()


def test_two_repositories_do_not_disturb_each_other(bench: Bench, tmp_path: Path) -> None:
    bench.index()
    before = bench.live()
    other = Bench(bench.db, bench.encoder.inner, bench.vectors, tmp_path / "other")
    ingest(
        bench.db, bench.encoder.inner, bench.vectors, "other", other.root, lambda: datetime.now(UTC),
        other.progress.append, lambda: False,
    )  # fmt: skip
    assert bench.searchable() == set(before)
    with bench.db.read() as tx:
        assert chunks.count(tx, "other") == chunks.count(tx, "shop") == len(before)


def test_docstrings_become_general_questions(bench: Bench) -> None:
    bench.index()
    with bench.db.read() as tx:
        ((_, query, repo, digest),) = [*general.guards(tx, 10), *general.for_training(tx, 10)]
        text = texts.get(tx, [digest])[digest]
    assert (query, repo) == ("Find the user with this name in the list", "shop")
    assert "def find_user" in text


def test_an_indexing_killed_before_its_questions_makes_them_the_next_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("server.indexing.general.renew", killed)
    with pytest.raises(KeyboardInterrupt):
        bench.index()
    monkeypatch.undo()
    assert bench.index().unchanged > 0
    with bench.db.read() as tx:
        assert [*general.guards(tx, 10), *general.for_training(tx, 10)]


def test_a_wrong_folder_leaves_no_trace(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no folder"):
        ingest(
            bench.db, bench.encoder.inner, bench.vectors, "new", tmp_path / "nowhere", lambda: datetime.now(UTC),
            bench.progress.append, lambda: False,
        )  # fmt: skip
    with bench.db.read() as tx:
        assert repos.list_all(tx) == []
