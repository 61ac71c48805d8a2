"""Where model work runs: off the event loop, a few at a time, with a bounded queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import ParamSpec, TypeVar

from store.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")


class WorkPool:
    """``workers`` threads and room for ``waiting`` more calls; beyond that a caller is told to come back."""

    def __init__(self, workers: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="ask")
        self._room = BoundedSemaphore(workers + waiting)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``call`` in a thread. Raises Busy when the queue is full; a call given up before its turn never runs."""
        if not self._room.acquire(blocking=False):
            raise Busy("too many questions at once; try again in a few seconds")
        future = self._threads.submit(call, *args, **kwargs)
        future.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let running calls end; drop the waiting ones."""
        self._threads.shutdown(wait=True, cancel_futures=True)
