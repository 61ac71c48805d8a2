"""A backup taken while people rate and a night trains, restored into another folder: the same service."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.faults.checks import Check, none_of
from bench.faults.nights import Nights
from bench.faults.site import Site, site
from bench.faults.world import World, questions
from store.errors import RankloopError
from store.settings import process_environment

BACKUPS, QUICK_BACKUPS = 10, 2
ASKED = 20
WRITERS = 3
SAME = 1e-5
"""A question's list may be scored in batches of another make-up: float32 rounds otherwise then."""
RATINGS = "SELECT answer_id, actor, kind, chunk_id, value FROM signals WHERE id <= ? ORDER BY id"
Scores = list[dict[int, tuple[float, float]]]
"""For each question: chunk → (``rerank_score``, ``final_score``)."""


@dataclass(slots=True)
class Taken:
    """One backup, and what was true when it began."""

    file: Path
    champion: int
    last: int
    """Ratings up to this id had been acknowledged."""
    meanwhile: int
    """Ratings made while it was written."""
    truth: list[tuple[Any, ...]] = field(default_factory=list)


def measure(world: World) -> list[Check]:
    asked = [question.query for question in questions(world, 9, ASKED)]
    failed: list[str] = []
    settings = {**world.settings, "RANKLOOP_AUTO_PROMOTE": "false"}
    with site(world.copy("backups"), settings) as served:
        served.wait_for_trainer()
        ended, nights = threading.Event(), Nights(served)
        writers = [threading.Thread(target=_write, args=(served, world, number, ended)) for number in range(WRITERS)]
        for thread in (nights, *writers):
            thread.start()
        taken = [_take(served, world, number, failed) for number in range(world.size(BACKUPS, QUICK_BACKUPS))]
        ended.set()
        for writer in writers:
            writer.join(120)
        nights.end()
        scores = {version: _scores_of(served, version, asked) for version in world.versions}
        for one in taken:
            one.truth = served.rows(RATINGS, one.last)
    shutil.rmtree(served.data)  # nothing may be read from where it was
    different = []
    for one in taken:
        different += _differences(world, one, scores, asked, failed)
        world.say(f"{one.file.name}: {len(one.truth):,} ratings, {one.meanwhile} meanwhile; {different[-1:] or 'same'}")
    return [*_checks(taken, different, failed), nights.check()]


def _checks(taken: list[Taken], different: list[str], failed: list[str]) -> list[Check]:
    ratings, meanwhile = sum(len(one.truth) for one in taken), [one.meanwhile for one in taken]
    beside = f"backups while {WRITERS} people rate and nights train"
    what = f"backups: champion, scores of {ASKED} questions, {ratings:,} ratings"
    return [
        none_of("backups or restores that failed", failed, len(taken), beside),
        none_of("differences after restoring elsewhere", different, len(taken), what),
        Check(
            "ratings made while a backup was written", "some", f"{min(meanwhile)} to {max(meanwhile)}", any(meanwhile)
        ),
    ]


def _take(served: Site, world: World, number: int, failed: list[str]) -> Taken:
    """Each backup with the other champion than the one before."""
    champion = world.versions[number % 2]
    with served.client("boss", admin=True) as admin:
        admin.promote(champion, "bench", force=True)
    last = _last_rating(served)
    file = world.root / f"backup-{number}.tar"
    file.unlink(missing_ok=True)
    said = _rankloop(served.data, world, "backup", str(file))
    failed += [said] if said else []
    return Taken(file, champion, last, _last_rating(served) - last)


def _last_rating(served: Site) -> int:
    return int(served.rows("SELECT max(id) FROM signals")[0][0])


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


def _differences(
    world: World, one: Taken, scores: Mapping[int, Scores], asked: list[str], failed: list[str]
) -> list[str]:
    """What a server on the restored folder answers otherwise than the one that was backed up."""
    folder = world.root / "restored"
    shutil.rmtree(folder, ignore_errors=True)
    said = _rankloop(folder, world, "restore", str(one.file))
    if said:
        failed.append(said)
        return [f"{one.file.name} was not restored"]
    found = []
    with site(folder, {**world.settings, "RANKLOOP_TRAINER": "false"}) as other:
        champion = other.rows("SELECT version_id FROM champion")[0][0]
        if champion != one.champion:
            found.append(f"{one.file.name}: champion {champion} instead of {one.champion}")
        if not _same(_scores(other, asked, one.champion), scores[one.champion]):
            found.append(f"{one.file.name}: other scores")
        if other.rows(RATINGS, one.last) != one.truth:
            found.append(f"{one.file.name}: other ratings")
    shutil.rmtree(folder, ignore_errors=True)
    one.file.unlink()
    return found


def _scores_of(served: Site, version: int, asked: list[str]) -> Scores:
    with served.client("boss", admin=True) as admin:
        if served.rows("SELECT version_id FROM champion") != [(version,)]:
            admin.promote(version, "bench", force=True)
    return _scores(served, asked, version)


def _scores(served: Site, asked: list[str], version: int) -> Scores:
    """Empty where another version than the named one has answered."""
    with served.client() as client:
        found = [client.search(query, test=True) for query in asked]
    if any(one.model_version != version for one in found):
        return []
    return [{r.chunk_id: (float(r.rerank_score or 0.0), r.final_score) for r in one.results} for one in found]


def _same(ours: Scores, theirs: Scores) -> bool:
    return len(ours) == len(theirs) > 0 and all(
        mine.keys() == other.keys()
        and all(
            abs(a - b) <= SAME * max(1.0, abs(b)) for key in mine for a, b in zip(mine[key], other[key], strict=True)
        )
        for mine, other in zip(ours, theirs, strict=True)
    )
