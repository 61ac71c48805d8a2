"""A trainer that is stopped, or killed as the kernel does when memory ends: noticed when, and what of its job?"""

from __future__ import annotations

import signal
import time
from functools import partial

import psutil

from bench.faults.checks import Check
from bench.faults.site import Site, site, wait_for
from bench.faults.world import World
from store.jobs import MAX_ATTEMPTS

NOTICED_S = 120.0
JOB_S = 600.0
FAULTS = (("stopped (SIGSTOP)", signal.SIGSTOP), ("killed (SIGKILL)", signal.SIGKILL))


def measure(world: World) -> list[Check]:
    found = []
    with site(world.copy("hangs"), world.settings) as served:
        for name, number in FAULTS:
            found += _one(served, name, number)
            world.say(f"{name}: {found[-2].seen}; {found[-1].seen}")
        found.append(_stays_down(served))
    return found


def _one(served: Site, name: str, number: int) -> list[Check]:
    """Strike in the middle of a job; wait for another trainer, and for the job's end."""
    served.wait_for_trainer()
    job = served.client("boss", admin=True).start_job("nightly")
    wait_for(partial(_under_way, served, job, 1), 240, 0.02)
    victim = served.kill_trainer(number)
    began = time.monotonic()
    state, stage, attempt, _ = _job(served, job)
    struck = victim is not None and (state, attempt) == ("running", 1)
    wait_for(lambda: victim is None or not psutil.pid_exists(victim), 3 * NOTICED_S)
    gone = time.monotonic() - began
    other = served.wait_for_trainer(other_than=victim, patience_s=3 * NOTICED_S) if struck else None
    noticed = time.monotonic() - began
    wait_for(lambda: _job(served, job)[0] not in ("queued", "running"), JOB_S, 0.5)
    end, last, attempts, error = _job(served, job)
    said = f"{end} at attempt {attempts}" + (f": {error}" if error else "")
    return [
        Check(
            f"{name} in {stage}, replaced within",
            f"{NOTICED_S:.0f} s",
            f"{noticed:.0f} s (gone after {gone:.0f} s)"
            if other is not None
            else f"not replaced, or not struck at work: {state} in {stage}",
            other is not None and noticed <= NOTICED_S,
        ),
        Check(
            "its job",
            "taken up again, finished",
            f"{said} in {last} ({time.monotonic() - began:.0f} s later)",
            struck and end == "succeeded" and attempts == 2,
        ),
    ]


def _stays_down(served: Site) -> Check:
    """Killed each time it has the job: the job must end as failed, with a reason."""
    served.wait_for_trainer()
    job = served.client("boss", admin=True).start_job("nightly")
    killed = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        at_work = wait_for(partial(_under_way, served, job, attempt), 240, 0.02)
        if at_work and served.kill_trainer() is not None:
            killed.append(_job(served, job)[1])
    wait_for(lambda: _job(served, job)[0] not in ("queued", "running"), JOB_S, 0.5)
    state, _, attempts, error = _job(served, job)
    return Check(
        f"killed at each of {MAX_ATTEMPTS} attempts",
        "failed, with a reason",
        f"{state} after {attempts} attempts, killed in {', '.join(killed)}: {error}",
        state == "failed" and bool(error) and len(killed) == attempts == MAX_ATTEMPTS,
    )


def _job(served: Site, job: int) -> tuple[str, str, int, str]:
    """State, stage, attempt and error."""
    state, stage, attempt, error = served.rows("SELECT state, stage, attempt, error FROM jobs WHERE id = ?", job)[0]
    return str(state), str(stage), int(attempt), str(error or "")


def _under_way(served: Site, job: int, attempt: int) -> bool:
    statement = "SELECT 1 FROM jobs WHERE id = ? AND attempt = ? AND state = 'running' AND progress > 0"
    return bool(served.rows(statement, job, attempt))
