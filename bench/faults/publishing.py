"""Publishing and promoting while the k-th write, fsync or rename fails, or kills the process instead, for every k.

strace puts the fault into the real system calls of a real process, SQLite's own included.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from bench.faults.checks import Check, none_of
from bench.faults.site import wait_for
from bench.faults.world import World
from store import deployments, health, manifest, registry
from store.database import Database
from store.errors import ModelRefused, RankloopError
from store.registry import VersionDraft
from store.scorer import Scorer
from store.settings import Settings
from store.types import Blend
from tests import tiny

CALLS = (
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "openat",
    "mkdir",
    "unlink",
    "unlinkat",
    "rmdir",
    "chmod",
    "ftruncate",
)
NEEDED = ("write", "pwrite64", "fsync", "fdatasync", "rename", "openat")
"""Publishing can't do without these: where none was struck, the bench has not worked."""
DURABLE = ("fsync", "fdatasync", "rename")
"""Without one of these nothing may be reported as done."""
FAULTS = {"fails (no space left)": "error=ENOSPC", "kills (SIGKILL) instead of being done": "signal=SIGKILL"}
MOST, QUICK_MOST = 400, 3
"""Of one call; none comes near it."""
DONE, FAILED = 0, 3
PATIENCE_S = 120.0
Moment = tuple[int, dict[int, str]]
"""The champion, and version → its folder."""


@dataclass(slots=True)
class Workshop:
    """One data directory in which the same model is published again and again."""

    settings: Settings
    db: Database
    model: Path
    probes: tuple[manifest.Probe, ...]
    tries: int = 0

    def stage(self) -> Path:
        self.tries += 1
        staged = registry.staging(self.settings.models_dir, f"try-{self.tries}")
        shutil.copytree(self.model, staged, dirs_exist_ok=True)
        return staged

    def state(self) -> Moment:
        with self.db.read() as tx:
            known = registry.list_all(tx, limit=100_000)
            return deployments.champion(tx).version_id, {one.id: one.path or "" for one in known if one.id != 0}

    def faults(self, before: Moment, code: int) -> list[str]:
        """What is neither the state before nor the one after; ``code``: what the process reported."""
        found: list[str] = []
        champion, known = self.state()
        new = {number: path for number, path in known.items() if number not in before[1]}
        if len(new) > 1 or any(known.get(number) != path for number, path in before[1].items()):
            found.append(f"{len(new)} new versions, or older ones changed")
        if code == DONE and (len(new) != 1 or champion not in new):
            found.append("reported as done, and is not")
        for path in new.values():
            try:
                manifest.verify(self.settings.models_dir / path)
            except ModelRefused as error:
                found.append(f"half-published: {error.message}")
        if champion != before[0] and champion not in new:
            found.append("promoted what is not there")
        with self.db.read() as tx:
            found += health.faults(tx)
        os.utime(self.settings.models_dir / ".staging", None)
        for leftover in (self.settings.models_dir / ".staging").glob("try-*"):
            os.utime(leftover, (0, 0))  # nobody works on it any more: as old as a day later
        registry.sweep(self.db, self.settings.models_dir)
        there = {path.name for path in self.settings.models_dir.glob("v*")}
        if there != set(known.values()) or any((self.settings.models_dir / ".staging").iterdir()):
            found.append("leftovers stayed after the sweep")
        return found


def publish_and_promote(pipe: Connection, settings: Settings, staged: Path, probes: tuple[manifest.Probe, ...]) -> None:
    """In a process of its own. The fresh process that checks a model only reads: it is spared here."""
    setattr(registry, "verify_in_fresh_process", manifest.verify)  # noqa: B010
    db = Database.open(settings.database)
    pipe.send("ready")
    pipe.recv()
    now = datetime.now(UTC)
    try:
        version = registry.publish(db, settings.models_dir, staged, _draft(probes), now)
        with db.write() as tx:
            deployments.promote(tx, version.id, "bench", "bench", now)
    except (OSError, RankloopError):
        os._exit(FAILED)
    os._exit(DONE)


def measure(world: World) -> list[Check]:
    if not _can_trace():
        return [Check("a fault in every system call", "old or new", "strace can't be used here", None)]
    settings = Settings(data=world.copy("publishing"))
    model = tiny.cross_encoder(_empty(world.root / "published"), seed=9)
    (model / "README.md").write_text("# card\n", encoding="utf-8")
    scores = Scorer.load(model, max_length=256).score_pairs(manifest.PROBE_TEXTS[:2]).tolist()
    pairs = zip(manifest.PROBE_TEXTS[:2], scores, strict=True)
    probes = tuple(manifest.Probe(query, passage, score) for (query, passage), score in pairs)
    shop = Workshop(settings, Database.open(settings.database), model, probes)
    found = []
    try:
        for name, fault in FAULTS.items():
            found.append(_every(world, shop, name, fault))
    finally:
        shop.db.dispose()
    return found


def _every(world: World, shop: Workshop, name: str, fault: str) -> Check:
    wrong: list[str] = []
    struck: dict[str, int] = {}
    for call in CALLS:
        for k in range(1, (QUICK_MOST if world.quick else MOST) + 1):
            before = shop.state()
            hit, code = _one(shop, call, f"{fault}:when={k}")
            wrong += [f"{call} {k}: {one}" for one in shop.faults(before, code)]
            if hit and code == DONE and call in DURABLE and not _forgiven(hit, shop.settings.data):
                wrong.append(f"{call} {k}: reported as done")
            if not hit:
                wrong += [] if code == DONE else [f"{call} {k}: not struck, and ended with code {code}"]
                break
            struck[call] = k
        if struck.get(call) == MOST:
            wrong.append(f"{call}: more than {MOST}, the rest was not tried")
        world.say(f"{call} {name}: {struck.get(call, 0)} times, {len(wrong)} wrong so far")
    wrong += [f"{call} was never struck" for call in NEEDED if call not in struck]
    each = ", ".join(f"{call} {count}" for call, count in struck.items())
    check = none_of(f"k-th system call {name}", wrong, sum(struck.values()), f"faults ({each})")
    return Check(check.what, "old or new, leftovers swept", check.seen, check.holds)


def _one(shop: Workshop, call: str, injection: str) -> tuple[str, int]:
    """The system call that the fault struck, empty where there was none, and the exit code."""
    staged, context = shop.stage(), multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=publish_and_promote, args=(theirs, shop.settings, staged, shop.probes))
    shop.db.dispose()  # no open file of SQLite's may pass to the child
    child.start()
    ours.recv()
    log = shop.settings.data / "strace.log"
    log.unlink(missing_ok=True)
    words = [
        "strace",
        "-y",
        "-p",
        str(child.pid),
        "-o",
        str(log),
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:{injection}",
    ]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    tracer.stderr.readline()  # "Process … attached"
    ours.send("go")
    child.join(PATIENCE_S)
    if child.exitcode is None:
        child.kill()
        child.join()
    tracer.wait(PATIENCE_S)
    tracer.stderr.close()
    ours.close()
    theirs.close()
    text = log.read_text(encoding="utf-8", errors="replace")
    struck = next((line for line in text.splitlines() if "INJECTED" in line or "killed by SIGKILL" in line), "")
    return struck, child.exitcode if child.exitcode is not None else -1


def _forgiven(line: str, data: Path) -> bool:
    """SQLite goes on where it could not force the folder of a new log to the disk; the log itself it must."""
    named = re.search(r"<([^>]*)>", line)
    return named is not None and Path(named.group(1)) == data


def _draft(probes: tuple[manifest.Probe, ...]) -> VersionDraft:
    return VersionDraft("bench", "tiny", Blend(1.0, 0.1, 0.5), 256, probes=probes)


def _can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    sleeper = subprocess.Popen(["sleep", "30"])
    try:
        tracer = subprocess.Popen(["strace", "-p", str(sleeper.pid), "-o", "/dev/null"], stderr=subprocess.DEVNULL)
        time.sleep(1.0)
        works = tracer.poll() is None
        tracer.terminate()
        wait_for(lambda: tracer.poll() is not None, 10)
        return works
    finally:
        sleeper.kill()
        sleeper.wait()


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder
