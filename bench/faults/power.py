"""Power loss: had every acknowledged rating been forced to the disk before it was acknowledged? strace sees."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.faults.checks import Check, none_of
from bench.faults.site import site
from bench.faults.world import World, questions

RATINGS, QUICK_RATINGS = 500, 20
CALLS = "write,pwrite64,fsync,fdatasync,sendto"
_CALL = re.compile(r"^(?:(\d+) +)?(\w+)\(\d+<([^>]*)>(.*)")
_RESUMED = re.compile(r"^(?:(\d+) +)?<\.\.\. (\w+) resumed>(.*)")
_HEADER = re.compile(r", 32, 0(?:\)| <unfinished)")
"""SQLite begins a log anew with 32 bytes at its beginning."""


@dataclass(slots=True)
class Trace:
    """What a server's system calls say, in their order."""

    acknowledged: int = 0
    forced: int = 0
    early: list[str] = field(default_factory=list)
    """Answers sent while the log held something that nothing had forced, or without anything written for them."""
    overwritten: list[str] = field(default_factory=list)
    """Logs begun anew although what was copied from them into the database had not been forced."""
    restarts: int = 0
    _unforced: set[str] = field(default_factory=set)
    """Of the two, ``-wal`` and ``.db``."""
    _written: bool = False
    _syncing: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Thread → what it is forcing, and how much had been written when it began."""
    _writes: int = 0

    def read(self, lines: Iterable[str]) -> Trace:
        for line in lines:
            if found := _CALL.match(line):
                thread, call, file, rest = found.groups()
                self._begun(thread or "", call, _part(file), rest)
            elif found := _RESUMED.match(line):
                thread, call, rest = found.groups()
                if call in ("fsync", "fdatasync"):
                    self._forced_by(thread or "", rest)
        return self

    def _begun(self, thread: str, call: str, part: str, rest: str) -> None:
        if call == "pwrite64" and part:
            if part == "-wal" and _HEADER.search(rest):
                self.restarts += 1
                self.overwritten += [f"log {self.restarts}"] if ".db" in self._unforced else []
            self._writes += 1
            self._unforced.add(part)
            self._written = self._written or part == "-wal"
        elif call in ("fsync", "fdatasync"):
            self._syncing[thread] = (part, self._writes)
            if "unfinished" not in rest:
                self._forced_by(thread, rest)
        elif call in ("sendto", "write") and '"HTTP/1.1 200' in rest:
            self.acknowledged += 1
            if "-wal" in self._unforced or not self._written:
                self.early.append(f"answer {self.acknowledged}")
            self._written = False

    def _forced_by(self, thread: str, rest: str) -> None:
        part, before = self._syncing.pop(thread, ("", 0))
        if part and before == self._writes and rest.rstrip().endswith("= 0"):
            self._unforced.discard(part)
            self.forced += part == "-wal"


def _part(file: str) -> str:
    return "-wal" if file.endswith(".db-wal") else ".db" if file.endswith(".db") else ""


def measure(world: World) -> list[Check]:
    if shutil.which("strace") is None:
        return [Check("acknowledged before it was on the disk", "0", "strace can't be used here", None)]
    count = world.size(RATINGS, QUICK_RATINGS)
    with site(world.copy("power"), {**world.settings, "RANKLOOP_TRAINER": "false"}) as served:
        with served.client("asker") as client:
            answer = str(client.answer(questions(world, 2, 1)[0].query).answer_id)
        log = served.data / "strace.log"
        assert served.process is not None
        with traced(served.process.pid, log):
            for number in range(count):
                with served.client(f"power-{number}") as client:
                    client.rate(answer, thumb="up")
        stored = served.rows("SELECT count(*) FROM signals WHERE answer_id = ? AND kind = 'thumb'", answer)[0][0]
    with log.open(encoding="utf-8", errors="replace") as lines:
        trace = Trace().read(lines)
    seen = f"{trace.acknowledged} answered, {stored} stored, the log forced to the disk {trace.forced} times"
    return [
        Check("ratings acknowledged", str(count), seen, trace.acknowledged == stored == count),
        none_of("acknowledged before they were on the disk", trace.early, trace.acknowledged, "ratings"),
        none_of("logs begun anew too early", trace.overwritten, trace.restarts, "times that a log was begun anew"),
    ]


@contextmanager
def traced(process: int, log: Path) -> Iterator[None]:
    """Writes the process's calls, all threads', into ``log``."""
    words = ["strace", "-f", "-y", "-s", "32", "-e", f"trace={CALLS}", "-o", str(log), "-p", str(process)]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    tracer.stderr.readline()  # "Process … attached"
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # lets go of the process
        tracer.wait(60)
        tracer.stderr.close()
