"""One process a data directory: the lock holds, tells its holder, and dies with the process."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rankloop.locks import ProcessLock, holder
from store.errors import Conflict

HOLD = """
import sys, time
from pathlib import Path
from rankloop.locks import ProcessLock
with ProcessLock(Path(sys.argv[1]), url="http://here"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_holder_is_told_who_has_it_and_kill_9_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "server.lock"
    assert holder(path) is None
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert holder(path) == {"pid": other.pid, "url": "http://here"}
        with pytest.raises(Conflict, match=str(other.pid)):
            ProcessLock(path).__enter__()
        other.kill()
        other.wait()
    assert holder(path) is None
    with ProcessLock(path):
        assert holder(path) is not None
    assert holder(path) is None


def test_a_look_at_the_lock_keeps_nobody_from_starting(tmp_path: Path) -> None:
    path = tmp_path / "server.lock"
    with path.open("w") as look:
        fcntl.flock(look, fcntl.LOCK_EX)
        threading.Timer(0.05, fcntl.flock, (look, fcntl.LOCK_UN)).start()
        with ProcessLock(path):
            assert holder(path) == {"pid": os.getpid()}
