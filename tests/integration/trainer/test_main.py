"""The trainer process itself: rated answers become judgments, and SIGTERM ends it in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from store import jobs, judgments, meta
from store.types import JobKind, JobState
from tests.integration.trainer.code_world import START, World, make_world

ROOT = Path(__file__).resolve().parents[3]


def wait_for(world: World, seconds: float = 120) -> int:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with world.db.read() as tx:
            if found := judgments.all_of(tx):
                return len(found)
        time.sleep(0.2)
    return 0


def test_the_process_judges_announces_works_and_ends_in_order(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.vote(world.ask("where does the code read a file"), "read_file")
    with world.db.write() as tx:
        job = jobs.enqueue(tx, JobKind.NIGHTLY, {"recipe": "no such recipe"}, "ann", START)
    assert job is not None
    environment = {**os.environ, "RANKLOOP_DATA": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "trainer.main"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        assert wait_for(world) == 1
        with world.db.read() as tx:
            assert jobs.get(tx, job.id).state is JobState.FAILED
            announced = meta.get(tx, "schedule_next")
        assert announced is not None
        assert len(announced) == 3
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
        group = Path(f"/proc/{process.pid}/autogroup")
        assert not group.exists() or group.read_text().endswith("nice 10\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        world.db.dispose()
