"""``store.processors``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from store.processors import processors, quota, quotas
from store.weights import use_threads

COUNT = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from store.processors import processors, quota, quotas
from store.weights import use_threads
print(processors())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process be confined from inside")
def test_only_processors_that_the_process_may_use_are_counted() -> None:
    confined = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    assert int(confined.stdout) == 1
    assert processors() >= 1


@pytest.mark.parametrize(
    ("written", "share"),
    [
        ("200000 100000", 2.0),
        ("150000 100000", 1.5),
        ("10000 100000", 0.1),
        ("max 100000", None),
        ("-1 100000", None),
        ("0 100000", None),
        ("200000 0", None),
        ("200000", None),
        ("", None),
        ("two of sixteen", None),
    ],
)
def test_a_limit_as_the_kernel_writes_it(written: str, share: float | None) -> None:
    assert quota(written.split()) == share


def write(groups: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (groups / name).parent.mkdir(parents=True, exist_ok=True)
        (groups / name).write_text(text)


@pytest.mark.parametrize(
    ("own", "files", "found"),
    [
        ("0::/\n", {"cpu.max": "200000 100000\n"}, {2.0}),  # a container that sees its own groups alone
        ("0::/system.slice/docker-1.scope\n", {"cpu.max": "200000 100000\n"}, {2.0}),  # one that is told the outer path
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, {3.0}),
        ("0::/a/b\n", {"a/b/cpu.max": "100000 100000\n", "a/cpu.max": "300000 100000\n"}, {1.0, 3.0}),
        ("0::/a\n", {"b/cpu.max": "100000 100000\n"}, set()),
        ("0::/../../x\n", {"cpu.max": "100000 100000\n"}, {1.0}),
        (
            "4:cpu,cpuacct:/docker/1\n1:name=systemd:/docker/1\n",
            {"cpu,cpuacct/docker/1/cpu.cfs_quota_us": "250000\n", "cpu,cpuacct/docker/1/cpu.cfs_period_us": "100000\n"},
            {2.5},
        ),
        (
            "4:cpu:/docker/1\n3:cpuset:/\n",
            {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            {0.5},
        ),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, set()),
        ("", {}, set()),
    ],
)
def test_limits_of_the_processs_groups_and_those_above(
    tmp_path: Path, own: str, files: dict[str, str], found: set[float]
) -> None:
    (tmp_path / "own").write_text(own)
    write(tmp_path / "groups", files)
    assert set(quotas(tmp_path / "groups", tmp_path / "own")) == found


@pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")
@pytest.mark.parametrize(("limit", "count"), [("10000 100000", 1), ("100000 100000", 1), ("1e3 100000", None)])
def test_a_limit_on_time_counts_in_whole_processors(tmp_path: Path, limit: str, count: int | None) -> None:
    (tmp_path / "own").write_text("0::/\n")
    write(tmp_path, {"cpu.max": limit})
    free = processors(tmp_path / "nothing", tmp_path / "own")
    assert processors(tmp_path, tmp_path / "own") == (free if count is None else count)
    write(tmp_path, {"cpu.max": f"{free * 100000 - 50000} 100000"})
    assert processors(tmp_path, tmp_path / "own") == free  # half a processor less still needs as many threads


def test_torch_takes_no_more_threads_than_there_are_processors() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(processors() + 3)
        use_threads(0)
        assert torch.get_num_threads() == processors()
        torch.set_num_threads(1)
        use_threads(0)
        assert torch.get_num_threads() == 1  # what somebody chose stays
        use_threads(2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
