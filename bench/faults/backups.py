"""A backup taken while people rate and a night trains, restored into another folder: the same service."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

from bench.faults.checks import Check, none_of
from bench.faults.site import Site, site
from bench.faults.world import World, questions
from store.errors import RankloopError
from store.settings import process_environment

BACKUPS, QUICK_BACKUPS = 10, 2
ASKED = 20
RATINGS = "SELECT answer_id, actor, kind, chunk_id, value FROM signals WHERE id <= ? ORDER BY id"


def measure(world: World) -> list[Check]:
    count = world.size(BACKUPS, QUICK_BACKUPS)
    different: list[str] = []
    failed: list[str] = []
    asked = [question.query for question in questions(world, 9, ASKED)]
    ratings = 0
    with site(world.copy("backups"), world.settings) as served:
        admin = served.client("boss", admin=True)
        admin.promote(world.versions[0], "bench", force=True)
        admin.start_job("nightly")
        ended = threading.Event()
        writers = [threading.Thread(target=_write, args=(served, world, number, ended)) for number in range(3)]
        for writer in writers:
            writer.start()
        files = []
        for number in range(count):
            before = served.rows("SELECT max(id) FROM signals")[0][0]
            file = world.root / f"backup-{number}.tar"
            file.unlink(missing_ok=True)
            said = _rankloop(served.data, world, "backup", str(file))
            failed += [said] if said else []
            files.append((file, before))
        ended.set()
        for writer in writers:
            writer.join(60)
        scores = _scores(served, asked)
        truth = {before: served.rows(RATINGS, before) for _, before in files}
    for number, (file, before) in enumerate(files):
        found, seen = _restored(world, file, number, before, asked)
        ratings += len(truth[before])
        if found.pop("ratings") != truth[before]:
            different.append(f"ratings of backup {number}")
        if found != {"champion": world.versions[0], "scores": scores}:
            different.append(f"champion or scores of backup {number}: version {found.get('champion')}")
        failed += seen
        file.unlink()
    return [
        none_of("backups or restores that failed", failed, count, "backups while three people rate and a night trains"),
        none_of(
            "differences after restoring elsewhere",
            different,
            count,
            f"backups: champion, scores of {ASKED} questions, {ratings:,} ratings",
        ),
    ]


def _write(served: Site, world: World, number: int, ended: threading.Event) -> None:
    with served.client(f"writer-{number}") as client:
        for question in questions(world, 100 + number, 1_000_000):
            if ended.is_set():
                return
            try:
                answer = client.answer(question.query)
                assert answer.answer_id is not None
                client.rate(answer.answer_id, thumb="up")
                client.rate_chunk(answer.answer_id, answer.sources[0].chunk_id, True)
            except RankloopError:
                ended.wait(0.2)


def _rankloop(data: Path, world: World, *words: str) -> str:
    """Run a command on a data directory; what it says when it fails, else nothing."""
    environment = process_environment({"RANKLOOP_DATA": str(data), **world.settings})
    done = subprocess.run(
        [sys.executable, "-m", "rankloop", *words], env=environment, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else f"rankloop {words[0]}: {done.stdout}{done.stderr}".strip()


def _restored(
    world: World, file: Path, number: int, before: int, asked: list[str]
) -> tuple[dict[str, object], list[str]]:
    """What a server on the restored folder answers, and what failed on the way."""
    folder = world.root / f"restored-{number}"
    _clear(folder)
    said = _rankloop(folder, world, "restore", str(file))
    if said:
        return {"ratings": None}, [said]
    with site(folder, {**world.settings, "RANKLOOP_TRAINER": "false"}) as other:
        found: dict[str, object] = {
            "champion": other.rows("SELECT version_id FROM champion")[0][0],
            "scores": _scores(other, asked),
            "ratings": other.rows(RATINGS, before),
        }
    _clear(folder)
    return found, []


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _scores(served: Site, asked: list[str]) -> list[list[tuple[int, float | None, float]]]:
    """(chunk, rerank_score, final_score) of each question's list."""
    with served.client() as client:
        return [
            [(one.chunk_id, one.rerank_score, one.final_score) for one in client.search(query, test=True).results]
            for query in asked
        ]
