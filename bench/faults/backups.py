"""A backup taken while people rate and a night trains, restored into another folder: the same service."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.faults.checks import Check, none_of
from bench.faults.nights import Nights
from bench.faults.site import Site, site, wait_for
from bench.faults.world import World, questions
from store.errors import RankloopError
from store.settings import process_environment

BACKUPS, QUICK_BACKUPS = 10, 2
ASKED = 20
WRITERS = 3
FIRST_S = 120.0
SAME = 1e-5
"""A question's list may be scored in batches of another make-up: float32 rounds otherwise then."""
RATINGS = "SELECT answer_id, actor, kind, chunk_id, value FROM signals"
Rating = tuple[str, str, str, int | None, str]
"""Answer, actor, kind, chunk, value: as a writer was told that it is kept, and as the database keeps it."""
Scores = list[dict[int, tuple[float, float]]]
"""For each question: chunk → (``rerank_score``, ``final_score``)."""


@dataclass(slots=True, eq=False)
class Writer(threading.Thread):
    """Asks and rates without a pause; what was acknowledged is written down here, nowhere else."""

    served: Site
    world: World
    number: int
    ended: threading.Event
    acknowledged: list[Rating] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    def run(self) -> None:
        actor = f"writer-{self.number}"
        with self.served.client(actor) as client:
            for question in questions(self.world, 100 + self.number, 1_000_000):
                if self.ended.is_set():
                    return
                try:
                    answer = client.answer(question.query)
                    assert answer.answer_id is not None
                    client.rate(answer.answer_id, thumb="up")
                    self.acknowledged.append((answer.answer_id, actor, "thumb", None, "up"))
                    chunk = answer.sources[0].chunk_id
                    client.rate_chunk(answer.answer_id, chunk, True)
                    self.acknowledged.append((answer.answer_id, actor, "chunk_vote", chunk, "true"))
                except RankloopError:
                    self.ended.wait(0.2)


@dataclass(frozen=True, slots=True)
class Taken:
    """One backup, and what was true when it began."""

    file: Path
    champion: int
    truth: frozenset[Rating]
    """Acknowledged before it began."""
    meanwhile: int
    """Ratings acknowledged while it was written."""


def measure(world: World) -> list[Check]:
    asked = [question.query for question in questions(world, 9, ASKED)]
    failed: list[str] = []
    settings = {**world.settings, "RANKLOOP_AUTO_PROMOTE": "false"}
    with site(world.copy("backups"), settings) as served:
        served.wait_for_trainer()
        ended, nights = threading.Event(), Nights(served)
        writers = [Writer(served, world, number, ended) for number in range(WRITERS)]
        for thread in (nights, *writers):
            thread.start()
        wait_for(lambda: all(writer.acknowledged for writer in writers), FIRST_S)
        taken = [_take(served, world, number, writers, failed) for number in range(world.size(BACKUPS, QUICK_BACKUPS))]
        ended.set()
        for writer in writers:
            writer.join(120)
        nights.end()
        scores = {version: _scores_of(served, version, asked) for version in world.versions}
    shutil.rmtree(served.data)  # nothing may be read from where it was
    different = []
    for one in taken:
        different += _differences(world, one, scores, asked, failed)
        world.say(f"{one.file.name}: {len(one.truth):,} ratings, {one.meanwhile} meanwhile; {different[-1:] or 'same'}")
    return [*_checks(taken, different, failed), nights.check()]


def _checks(taken: list[Taken], different: list[str], failed: list[str]) -> list[Check]:
    ratings, meanwhile = sum(len(one.truth) for one in taken), [one.meanwhile for one in taken]
    beside = f"backups while {WRITERS} people rate and nights train"
    what = f"backups: champion, scores of {ASKED} questions, {ratings:,} acknowledged ratings"
    return [
        none_of("backups or restores that failed", failed, len(taken), beside),
        none_of("differences after restoring elsewhere", different, len(taken), what),
        Check(
            "ratings made while a backup was written",
            "some",
            f"{min(meanwhile)} to {max(meanwhile)}",
            any(meanwhile) and all(one.truth for one in taken),
        ),
    ]


def _take(served: Site, world: World, number: int, writers: list[Writer], failed: list[str]) -> Taken:
    """Each backup with the other champion than the one before."""
    champion = world.versions[number % 2]
    with served.client("boss", admin=True) as admin:
        admin.promote(champion, "bench", force=True)
    truth = _acknowledged(writers)
    file = world.root / f"backup-{number}.tar"
    file.unlink(missing_ok=True)
    said = _rankloop(served.data, world, "backup", str(file))
    failed += [said] if said else []
    return Taken(file, champion, truth, len(_acknowledged(writers)) - len(truth))


def _acknowledged(writers: list[Writer]) -> frozenset[Rating]:
    return frozenset(rating for writer in writers for rating in tuple(writer.acknowledged))


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
        found += _of_ratings(one, other.rows(RATINGS))
    shutil.rmtree(folder, ignore_errors=True)
    one.file.unlink()
    return found


def _of_ratings(one: Taken, rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """Ratings that were acknowledged before the backup began, and are not in it once."""
    kept = Counter((answer, actor, kind, chunk, _word(value)) for answer, actor, kind, chunk, value in rows)
    lost = [rating for rating in one.truth if not kept[rating]]
    doubled = [rating for rating in one.truth if kept[rating] > 1]
    return [
        f"{one.file.name}: {len(found)} of {len(one.truth):,} acknowledged ratings {what}, such as {found[0]}"
        for what, found in (("lost", lost), ("doubled", doubled))
        if found
    ]


def _word(value: object) -> str:
    """A JSON string is stored in its quotes."""
    return str(value).strip('"')


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
