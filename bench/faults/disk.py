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
SEARCH, QUICK_SEARCH = 8, 3
"""Nights more, at most, to find the room with which publishing fails."""
PUBLISH = "publish"
PROMOTING_MB, PROMOTIONS = (0.0, 0.004, 0.02, 1.0), 5
"""Room for each promotion, so many times over."""
RATINGS, QUICK_RATINGS = 3000, 300
PATIENCE_S, JOB_S = 90.0, 600.0
"""For a night's end while there is no room, and with it."""


@dataclass(frozen=True, slots=True)
class Night:
    """What became of a nightly job."""

    left: float | None
    """MB of room when it began, None for all."""
    state: str
    stage: str = ""
    """The last one that could be written down."""
    error: str = ""
    silent: bool = False
    stuck: str = ""
    """The stage in which it stood still until there was room again."""
    moved: str = ""
    """How the champion changed, where the night has not said that it promoted."""

    @property
    def failed_in(self) -> str | None:
        return self.stage if self.state == "failed" else None

    @property
    def finished(self) -> bool:
        return self.state == "succeeded" and not self.stuck

    def words(self) -> str:
        where = f" in {self.stage}" if self.state == "failed" else ""
        room = "all room" if self.left is None else f"{self.left:g} MB"
        waited = f" once there was room, until then in {self.stuck}" if self.stuck else ""
        return f"{room}: {self.state}{where}{waited}"


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
        with site(data, world.settings) as served:
            served.wait_for_trainer()
            audit = Audit(served)
            acknowledged: dict[Vote, bool] = {}
            return [
                *_rating(world, served, disk, audit, acknowledged),
                *_promoting(world, served, disk),
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


def _promoting(world: World, served: Site, disk: Disk) -> list[Check]:
    """Promote with next to no room: whatever was acknowledged serves, and nothing else."""
    now = _champion(served)
    moved, refused, wrong = 0, [], []
    rooms = PROMOTING_MB * (1 if world.quick else PROMOTIONS)
    with served.client("boss", admin=True, timeout=120) as admin:
        for left in rooms:
            disk.fill(left)
            other = next(version for version in world.versions if version != now)
            try:
                admin.promote(other, "bench", force=True)
            except RankloopError as error:
                refused.append(f"{type(error).__name__}: {error.message}")
            else:
                now, moved = other, moved + 1
            said = admin.search("Where do we wipe the account?", test=True).model_version
            if (found := _champion(served)) != now or said != now:
                wrong.append(f"{left} MB: champion {found}, served {said}, acknowledged {now}")
            disk.free()
    odd = [words for words in refused if not words.startswith(Busy.__name__)]
    seen = f"{moved} done, {len(refused)} refused" + (f": “{refused[0]}”" if refused else "")
    return [
        Check(
            "promotions on a full disk", "some done, some refused with 503", seen, bool(moved and refused) and not odd
        ),
        none_of("champions other than the one last acknowledged", wrong, len(rooms), "promotions"),
    ]


def _training(world: World, served: Site, disk: Disk, audit: Audit, acknowledged: dict[Vote, bool]) -> list[Check]:
    """Nights with less and more room: each must fail visibly or finish, and change no champion half-way."""
    nights: list[Night] = []
    for left in QUICK_LEFT_MB if world.quick else LEFT_MB:
        nights.append(_night(served, disk, left, world))
        audit.look(acknowledged)
    for _ in range(QUICK_SEARCH if world.quick else SEARCH):
        between = _between(nights)
        if between is None:
            break
        nights.append(_night(served, disk, between, world))
        audit.look(acknowledged)
    last = _night(served, disk, None, world)
    audit.look(acknowledged, everything=True)
    silent = [night.words() for night in nights if night.silent]
    moved = [f"{night.words()}: {night.moved}" for night in [*nights, last] if night.moved]
    ends = ", ".join(night.words() for night in nights)
    struck = [night for night in nights if night.failed_in is not None]
    publishing = [night for night in struck if night.failed_in == PUBLISH]
    return [
        none_of("nights without a visible end", silent, len(nights), f"nights ({ends})"),
        none_of("half-published versions", sorted(audit.half), audit.versions, "versions"),
        Check(
            "nights that a full disk failed",
            "some, and some finished",
            f"{len(struck)} of {len(nights)}",
            bool(struck) and any(night.finished for night in nights),
        ),
        Check(
            "of these while publishing",
            "some",
            str(len(publishing)) if publishing else f"none did, though {len(nights)} sizes of room were tried",
            bool(publishing) if publishing or not world.quick else None,
        ),
        none_of("champion moved by a night that did not promote", moved, len(nights) + 1, "nights"),
        none_of("leftovers in the models folder", audit.leftovers(), len(nights), "nights"),
        none_of("acknowledged ratings lost by then", sorted(audit.lost), len(acknowledged), "ratings"),
        none_of("integrity after the nights", audit.unsound, audit.looks, "looks"),
        Check(
            "a night once there is room", "succeeded", f"{last.state} {last.error}".strip(), last.state == "succeeded"
        ),
    ]


def _night(served: Site, disk: Disk, left: float | None, world: World) -> Night:
    """One nightly job with ``left`` MB when it begins; None: with all room."""
    before = _champion(served)
    disk.free() if left is None else disk.fill(left)
    with served.client("boss", admin=True, timeout=120) as admin:
        try:
            job = admin.start_job("nightly")
        except Conflict as error:
            disk.free()
            return Night(left, "another one is open", error=error.message, silent=True)
        except Busy as error:
            disk.free()
            return Night(left, "not started", error=error.message)
        came = wait_for(partial(_ended, served, job), PATIENCE_S)
        stuck = "" if came else str(served.rows("SELECT stage FROM jobs WHERE id = ?", job)[0][0])
        disk.free()
        ended = admin.wait(job, JOB_S)
    promoted = (ended.result or {}).get("promoted")
    expected = ended.result["version"] if ended.result and promoted else before
    after = _champion(served)
    night = Night(
        left,
        str(ended.state),
        ended.stage,
        ended.error or "",
        silent=str(ended.state) == "failed" and not ended.error,
        stuck=stuck,
        moved="" if after == expected else f"{before} → {after}",
    )
    world.say(f"{night.words()} {night.error}")
    return night


def _between(nights: list[Night]) -> float | None:
    """Room between too little (a night failed or stood still) and enough; None where one failed publishing."""
    if any(night.failed_in == PUBLISH for night in nights):
        return None
    enough = min((night.left or 0.0 for night in nights if night.finished), default=max(LEFT_MB))
    short = max((night.left or 0.0 for night in nights if (night.left or 0.0) < enough), default=0.0)
    return round((short + enough) / 2, 3)


def _champion(served: Site) -> int:
    return int(served.rows("SELECT version_id FROM champion")[0][0])


def _ended(served: Site, job: int) -> bool:
    return served.rows("SELECT state FROM jobs WHERE id = ?", job)[0][0] in ("succeeded", "failed", "cancelled")
