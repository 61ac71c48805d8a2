"""A full disk (a small tmpfs): while people rate, while a night trains and publishes, and once there is room again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from bench.faults.audit import Audit, Vote
from bench.faults.checks import Check, none_of
from bench.faults.site import Site, site, wait_for
from bench.faults.world import World, questions
from store.errors import Busy, Conflict, RankloopError

ROOM = 40 * 2**20
"""Beside what the data directory holds already."""
LEFT_MB, QUICK_LEFT_MB = (0.05, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0), (0.5, 2.0)
RATINGS, QUICK_RATINGS = 3000, 300
JOB_S = 600.0


@dataclass(slots=True)
class Disk:
    """A small file system of its own."""

    folder: Path

    def fill(self, left: float) -> None:
        """Leave ``left`` MB, or nothing at all for 0."""
        self.free()
        room = shutil.disk_usage(self.folder).free - int(left * 2**20)
        with (self.folder / "filler").open("wb", buffering=0) as file:
            try:
                for _ in range(max(0, room) // 4096 + (0 if left else 1)):
                    file.write(b"\0" * 4096)
            except OSError:
                pass  # full is what it is to be

    def free(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)


def measure(world: World) -> list[Check]:
    with mounted(world) as disk:
        if disk is None:
            return [Check("a full disk", "–", "no file system can be mounted here (try under `unshare -rm`)", None)]
        data = disk.folder / "data"
        shutil.copytree(world.data, data)
        with site(data, {**world.settings, "RANKLOOP_AUTO_PROMOTE": "false"}) as served:
            served.wait_for_trainer()
            audit = Audit(served)
            acknowledged: dict[Vote, bool] = {}
            return [
                *_rating(world, served, disk, audit, acknowledged),
                *_training(world, served, disk, audit, acknowledged),
            ]


@contextmanager
def mounted(world: World) -> Iterator[Disk | None]:
    folder = world.root / "disk"
    folder.mkdir(exist_ok=True)
    size = ROOM + sum(file.stat().st_size for file in world.data.rglob("*") if file.is_file())
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode != 0:
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def _rating(world: World, served: Site, disk: Disk, audit: Audit, acknowledged: dict[Vote, bool]) -> list[Check]:
    """Rate until the disk is full and beyond, then free it and rate again."""
    refused: list[str] = []
    odd: list[str] = []
    asked = questions(world, 21, 10)
    with served.client("ann") as client:
        answers = [client.answer(question.query) for question in asked]
    disk.fill(0.3)
    for number in range(world.size(RATINGS, QUICK_RATINGS)):
        if number == 20:
            disk.fill(0)
        answer = answers[number % len(answers)]
        source, actor = answer.sources[number % 5].chunk_id, f"p{number}"
        with served.client(actor) as client:
            try:
                client.rate_chunk(str(answer.answer_id), source, True)
            except Busy as error:
                refused.append(error.message)
            except RankloopError as error:
                odd.append(error.message)
            else:
                acknowledged[str(answer.answer_id), actor, source] = True
        if len(refused) >= 50:
            break
    reads = httpx.get(f"{served.url}/api/answers/{answers[0].answer_id}", timeout=30).status_code
    disk.free()
    with served.client("after") as client:
        client.rate_chunk(str(answers[0].answer_id), answers[0].sources[0].chunk_id, True)
    acknowledged[str(answers[0].answer_id), "after", answers[0].sources[0].chunk_id] = True
    audit.look(acknowledged)
    words = f": “{refused[0]}”" if refused else ""
    return [
        Check(
            "ratings refused on a full disk",
            "503 with words",
            f"{len(refused)}{words}; {len(odd)} otherwise",
            bool(refused) and not odd,
        ),
        none_of("acknowledged ratings lost", sorted(audit.lost), len(acknowledged), "ratings"),
        Check("reading on a full disk", "200", str(reads), reads == 200),
        none_of("integrity", audit.unsound, audit.looks, "looks"),
    ]


def _training(world: World, served: Site, disk: Disk, audit: Audit, acknowledged: dict[Vote, bool]) -> list[Check]:
    """Nights with less and more room: each must fail visibly or finish, and change no champion half-way."""
    ends: list[str] = []
    silent: list[str] = []
    champion = served.rows("SELECT version_id FROM champion")
    with served.client("boss", admin=True, timeout=120) as admin:
        for left in QUICK_LEFT_MB if world.quick else LEFT_MB:
            disk.fill(left)
            try:
                job = admin.start_job("nightly")
            except Conflict as error:
                silent.append(error.message)
                disk.free()
                continue
            except Busy:
                ends.append(f"{left} MB: not started")
                continue
            wait_for(partial(_ended, served, job), 150)
            stuck = not _ended(served, job)
            disk.free()
            ended = admin.wait(job, JOB_S)
            note = " once there was room" if stuck else ""
            ends.append(f"{left} MB: {ended.state}{note}")
            if ended.state == "failed" and not ended.error:
                silent.append(f"job {job} failed without a reason")
            world.say(f"{ends[-1]} {ended.error or ''}")
            audit.look(acknowledged)
        disk.free()
        last = admin.wait(admin.start_job("nightly"), JOB_S)
    audit.look(acknowledged, everything=True)
    ends.append(f"all room: {last.state}")
    kept = served.rows("SELECT version_id FROM champion")
    return [
        none_of("nights without a visible end", silent, len(ends), f"nights ({', '.join(ends)})"),
        none_of("half-published versions", sorted(audit.half), audit.versions, "versions"),
        Check(
            "nights that a full disk failed",
            "some, and some finished",
            f"{sum('failed' in end for end in ends)} of {len(ends)}",
            any("failed" in end for end in ends) and any("succeeded" in end for end in ends),
        ),
        Check("champion", "unchanged", f"{champion[0][0]} → {kept[0][0]}", champion == kept),
        none_of("leftovers in the models folder", audit.leftovers(), len(ends), "nights"),
        none_of("acknowledged ratings lost by then", sorted(audit.lost), len(acknowledged), "ratings"),
        none_of("integrity after the nights", audit.unsound, audit.looks, "looks"),
        Check(
            "a night once there is room",
            "succeeded",
            f"{last.state} {last.error or ''}".strip(),
            last.state == "succeeded",
        ),
    ]


def _ended(served: Site, job: int) -> bool:
    return served.rows("SELECT state FROM jobs WHERE id = ?", job)[0][0] in ("succeeded", "failed", "cancelled")
