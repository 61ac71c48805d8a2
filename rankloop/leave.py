"""The end of a long-lived process: at once, for everything that matters has been closed."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn


def leave() -> NoReturn:
    """End with code 0 without taking torch apart, which costs seconds of processor time on a busy machine."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
