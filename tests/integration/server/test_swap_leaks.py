"""Swaps leave no thread and no open file behind. (Memory and 200 swaps: ``python -m bench.faults --only leaks``.)"""

from __future__ import annotations

import gc

import psutil

from tests.integration.server.support import Running

SWAPS, WARM = 8, 3


def held() -> tuple[int, int]:
    gc.collect()
    process = psutil.Process()
    return process.num_threads(), process.num_fds()


def test_swaps_leave_no_thread_and_no_open_file(own: Running) -> None:
    versions = [own.version("good"), own.version("bad")]
    before: tuple[int, int] | None = None
    for number in range(SWAPS):
        place = f"/models/{versions[number % 2].id}/promote"
        own.admin("POST", place, json={"reason": "test", "force": True})
        for question in range(10):
            assert own.search(f"read the configuration {question}")["model_version"] == versions[number % 2].id
        if number == WARM:
            before = held()
    assert before is not None
    threads, files = held()
    assert threads <= before[0] + 1
    assert files <= before[1] + 1
