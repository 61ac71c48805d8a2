"""``rankloop index --watch`` on a real folder: edits, deletes, renames, atomic saves and checkouts reach the index."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from rankloop.context import Context
from rankloop.indexing import Indexing, wait
from rankloop.locks import ProcessLock, server_lock
from rankloop.watch import Change, Watcher, between, look
from server.indexing.recover import sync_index
from store import chunks, jobs, mending, meta, repos
from store.database import Database, migrate
from store.encoder import Encoder
from store.errors import InvalidInput, Unavailable
from store.settings import Settings, process_environment
from store.types import Job, JobKind
from store.vectors import VectorIndex
from tests.integration.rankloop.conftest import Desk, Models
from tests.integration.server.support import running, until

ANSWER = "def forty_two():\n    return 42\n"


@pytest.fixture
def folder(code: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(code, tmp_path / "shop"))


@pytest.fixture
def models_encoder(models: Models) -> Encoder:
    return Encoder.load(str(models.encoder))


def live(db: Database, repo: str = "shop") -> set[str]:
    """Path of each file with chunks that are searched."""
    with db.read() as tx:
        return {path for path in repos.known_files(tx, repo) if chunks.in_file(tx, repo, path)}


class Edits:
    """Stands in for time: each sleep of the watcher does the next thing that a person does."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self._acts = list(acts)

    def sleep(self, _: float) -> None:
        if not self._acts:
            raise KeyboardInterrupt
        self._acts.pop(0)()


def nothing() -> None:
    pass


def lines_of(watcher: Watcher, index: Callable[[], Job]) -> list[str]:
    """What is told until there is nothing left to do."""
    told: list[str] = []
    try:
        told.extend(watcher.updates(index))
    except KeyboardInterrupt:
        return told
    raise AssertionError("a watcher does not end by itself")


def test_what_counts_as_a_change(folder: Path) -> None:
    before = look(folder)
    assert between(before, look(folder)) is None
    (folder / "new.py").write_text(ANSWER)
    (folder / "config.py").write_text(ANSWER)
    (folder / "cache.py").rename(folder / "moved.py")
    (folder / ".git").mkdir()
    (folder / ".git" / "index").write_text("not code")
    assert between(before, look(folder)) == Change(new=2, changed=1, gone=1)
    assert str(Change(2, 1, 1)) == "2 new, 1 changed, 1 gone files"
    assert str(Change(0, 1, 0)) == "1 changed file"


def test_a_saved_file_in_the_middle_of_a_save_waits_for_quiet(folder: Path) -> None:
    """Four writes within the quiet time are one update, of what the last one left."""
    file = folder / "new.py"
    edits = Edits(nothing, *(partial(file.write_text, ANSWER * n) for n in range(1, 5)), nothing, nothing, nothing)
    seen: list[int] = []

    def index() -> Job:
        seen.append(file.stat().st_size)
        raise Unavailable("enough")

    assert lines_of(Watcher(folder, look(folder), sleep=edits.sleep), index) == ["not up to date: enough"]
    assert seen[0] == len(ANSWER) * 4


def test_a_failure_is_told_once_and_tried_again(folder: Path) -> None:
    def index() -> Job:
        raise Unavailable("the disk is full")

    write = partial((folder / "new.py").write_text, ANSWER)
    watcher = Watcher(folder, look(folder), sleep=Edits(write, *[nothing] * 9).sleep)
    assert lines_of(watcher, index) == ["not up to date: the disk is full"]


def test_a_folder_that_is_gone_for_a_moment_is_waited_for(folder: Path) -> None:
    aside = folder.with_name("aside")
    acts = (partial(folder.rename, aside), nothing, partial(aside.rename, folder), nothing)
    told = lines_of(Watcher(folder, look(folder), sleep=Edits(*acts).sleep), lambda: pytest.fail("unchanged"))
    assert len(told) == 1
    assert "there is no folder" in told[0]
    with pytest.raises(InvalidInput):
        look(aside)


def checkout(folder: Path) -> None:
    """As git does it: some files go, some come, some change, within moments."""
    (folder / "cache.py").unlink()
    (folder / "branch").mkdir()
    (folder / "branch" / "other.py").write_text(ANSWER)
    (folder / "config.py").write_text("def settings():\n    return {}\n")


def atomic_save(file: Path) -> None:
    """As editors do it: a temporary file takes the place of the old one."""
    beside = file.with_name(f".{file.name}.swp~")
    beside.write_text(ANSWER)
    beside.replace(file)


def test_edits_reach_the_index_through_the_running_server(folder: Path, desk: Desk, models_encoder: Encoder) -> None:
    with running(desk.data, models_encoder) as server, ProcessLock(server_lock(desk.data), url="http://here"):
        context = Context(server.settings, server.state.db, Console(highlight=False))
        assert context.server_url()
        follow = partial(wait, context)
        indexing = Indexing(context, "watched", folder)
        seen = look(folder)
        assert indexing.run(follow).error is None
        edits = Edits(
            partial(atomic_save, folder / "save.py"), nothing,
            partial(checkout, folder), nothing,
            partial((folder / "auth").rename, folder / "people"), nothing,
            nothing,
        )  # fmt: skip
        told = lines_of(Watcher(folder, seen, sleep=edits.sleep), lambda: indexing.run(follow))
        assert [line[10:].split(":")[0] for line in told] == [
            "1 changed file", "1 new, 1 changed, 1 gone files", "1 new, 1 gone files"
        ]  # fmt: skip
        assert live(context.db, "watched") == {"branch/other.py", "config.py", "people/login.py", "save.py"}
        found = server.search("forty two", repo="watched")["results"]
        assert {one["path"] for one in found[:2]} == {"branch/other.py", "save.py"}
        with context.db.read() as tx:
            assert (
                len([job for job in jobs.list_all(tx, JobKind.INDEX, limit=50) if job.params["repo"] == "watched"]) == 4
            )
        assert "chunks new" in told[0]


def test_without_a_server_no_vector_index_is_filled(
    folder: Path, empty: Desk, monkeypatch: pytest.MonkeyPatch, models_encoder: Encoder
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a vector index that nobody searches was filled")

    migrate(empty.settings.database)
    db = empty.database()
    context = Context(Settings(data=empty.data, encoder=models_encoder.name), db, Console(highlight=False))
    indexing = Indexing(context, "shop", folder)
    with db.write() as tx:
        meta.put(tx, "vector_index", {"generation": 0, "encoder": models_encoder.name, "points": 7})  # a server's
    with monkeypatch.context() as patched:
        for filling in ("rebuild", "upsert", "remove"):
            patched.setattr(VectorIndex, filling, fail)
        assert indexing.run(partial(wait, context)).error is None
        (folder / "new.py").write_text(ANSWER)
        assert indexing.run(partial(wait, context)).error is None
    assert "new.py" in live(db)
    with db.read() as tx:
        stored = {id_ for id_, *_ in chunks.live_vectors(tx, models_encoder.name, 0, 1000)}
        assert len(stored) == chunks.count(tx)
        assert not mending.marker_behind(tx, chunks.generation(tx)), "doctor has nothing to complain of"
    index = VectorIndex.open(None, None, models_encoder.dimension)
    assert sync_index(db, index, models_encoder), "the next server's own"
    assert {id_ for id_, _ in index.search(models_encoder.encode_one("forty two"), "shop", 1000)} == stored
    index.close()
    db.dispose()


def test_without_a_server_the_command_indexes_itself_until_interrupted(folder: Path, empty: Desk) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rankloop", "index", str(folder), "--watch"],
        env=process_environment(empty.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )
    lines: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        lines.extend(iter(process.stdout.readline, ""))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        until(lambda: any("Ctrl-C" in line for line in lines), seconds=120)
        (folder / "new.py").write_text(ANSWER)
        until(lambda: any("1 new file" in line for line in lines), seconds=60)
        (folder / "new.py").unlink()
        until(lambda: any("1 gone file" in line for line in lines), seconds=60)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
        reader.join(10)
        assert process.stdout is not None
        process.stdout.close()
    assert code == 0, lines
    assert "No longer keeping up" in lines[-1]
    db = empty.database()
    assert live(db) == {"auth/login.py", "cache.py", "config.py", "save.py"}
    db.dispose()
