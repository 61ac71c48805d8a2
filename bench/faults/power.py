"""Power loss: had every acknowledged rating been forced to the disk before it was acknowledged? strace sees."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from bench.faults.checks import Check, none_of
from bench.faults.world import World

RATINGS, QUICK_RATINGS = 500, 20
ACKNOWLEDGE = """
import sys
from datetime import UTC, datetime
from store import signals
from store.database import Database
from store.types import SignalKind
db = Database.open(sys.argv[1])
for n in range(int(sys.argv[2])):
    with db.write() as tx:
        signals.put(tx, sys.argv[3], f"power-{n}", SignalKind.THUMB, None, "up", datetime.now(UTC))
    print(f"acknowledged {n}", flush=True)
"""
_CALL = re.compile(r"^(?:\d+ +)?(\w+)\(\d+<([^>]*)>(.*)")


def measure(world: World) -> list[Check]:
    if shutil.which("strace") is None:
        return [Check("acknowledged before it was on the disk", "0", "strace can't be used here", None)]
    count, data = world.size(RATINGS, QUICK_RATINGS), world.copy("power")
    log = data / "strace.log"
    answer = _an_answer(data)
    words = ["strace", "-y", "-s", "64", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o", str(log)]
    database = f"sqlite:///{data / 'rankloop.db'}"
    done = subprocess.run(
        [*words, sys.executable, "-c", ACKNOWLEDGE, database, str(count), answer], capture_output=True, check=False
    )
    told = done.stdout.decode().count("acknowledged")
    early, forced = early_acknowledgements(log.read_text(encoding="utf-8", errors="replace").splitlines())
    return [
        Check("ratings acknowledged", str(count), f"{told}, the log forced to the disk {forced} times", told == count),
        none_of("acknowledged before they were on the disk", early, told, "ratings"),
    ]


def early_acknowledgements(lines: list[str]) -> tuple[list[str], int]:
    """Acknowledgements with a write to the log before them that nothing had forced yet; and how often it was forced."""
    early: list[str] = []
    unforced, forced, written = False, 0, False
    for line in lines:
        found = _CALL.match(line)
        if found is None:
            continue
        call, file, rest = found.groups()
        if call == "pwrite64" and file.endswith("-wal"):
            unforced = written = True
        elif call in ("fsync", "fdatasync") and file.endswith("-wal") and "= 0" in rest:
            unforced, forced = False, forced + 1
        elif call == "write" and '"acknowledged ' in rest:
            if unforced or not written:
                early.append(rest.split('"')[1].replace("\\n", ""))
            written = False
    return early, forced


def _an_answer(data: Path) -> str:
    with closing(sqlite3.connect(data / "rankloop.db")) as connection:
        return str(connection.execute("SELECT min(id) FROM answers").fetchone()[0])
