"""Give way to everything else on the machine."""

from __future__ import annotations

import logging
import os
from pathlib import Path

NICE = 19
GROUP_NICE = 10
"""About a tenth of what one busy process of another session gets: enough for a night to end on a busy machine."""
_GROUP = Path("/proc/self/autogroup")
log = logging.getLogger("rankloop.trainer")


def give_way() -> None:
    """Take the lowest priority for this process, and a low one for its scheduling group where it has that to itself.

    Linux with autogroups (``sched(7)``) shares processors equally among sessions and heeds nice values only within one:
    beside a server of another session, a trainer at nice 19 alone would still take every second slice.
    """
    os.nice(NICE)
    if os.getsid(0) != os.getpid() or not _GROUP.exists():
        return
    try:
        _GROUP.write_text(str(GROUP_NICE))
    except OSError as error:
        log.warning("the priority of the trainer's session could not be lowered: %s", error)
