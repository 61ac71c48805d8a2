"""A trainer that is stopped, or killed as the kernel does when memory ends: noticed when, and what of its job?"""

from __future__ import annotations

import signal
import time
from functools import partial

from bench.faults.checks import Check
from bench.faults.site import Site, site, wait_for
from bench.faults.world import World

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
    admin = served.client("boss", admin=True)
    served.wait_for_trainer()
    job = admin.start_job("nightly")
    wait_for(lambda: admin.job(job).progress > 0.0, 120)
    stage = admin.job(job).stage
    victim = served.kill_trainer(number)
    began = time.monotonic()
    other = served.wait_for_trainer(other_than=victim, patience_s=2 * NOTICED_S)
    other = other if other is not None else served.wait_for_trainer(other_than=victim)
    noticed = time.monotonic() - began
    ended = admin.wait(job, JOB_S)
    said = f"{ended.state}" + (f": {ended.error}" if ended.error else "")
    return [
        Check(
            f"{name} in {stage}, replaced within",
            f"{NOTICED_S:.0f} s",
            f"{noticed:.0f} s",
            other is not None and noticed <= NOTICED_S,
        ),
        Check(
            "its job",
            "finished or failed, visibly",
            f"{said} ({time.monotonic() - began:.0f} s later)",
            ended.state.ended,
        ),
    ]


def _stays_down(served: Site) -> Check:
    """Killed each time it takes the job up: the job must end as failed, with a reason."""
    admin = served.client("boss", admin=True)
    served.wait_for_trainer()
    job = admin.start_job("nightly")
    for attempt in range(1, 4):
        wait_for(partial(_at_work, served, job, attempt), 240)
        served.kill_trainer()
    ended = admin.wait(job, JOB_S)
    failed = ended.state == "failed" and bool(ended.error)
    return Check("killed at each of three attempts", "failed, with a reason", f"{ended.state}: {ended.error}", failed)


def _at_work(served: Site, job: int, attempt: int) -> bool:
    statement = (
        "SELECT 1 FROM jobs WHERE id = ? AND attempt = ? AND state = 'running' AND lease_until > datetime('now')"
    )
    return bool(served.rows(statement, job, attempt))
