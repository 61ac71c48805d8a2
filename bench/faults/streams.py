"""SIGTERM while fifty answers are being written: each reader is told, and the process ends in time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

import httpx

from bench.faults.checks import Check, none_of
from bench.faults.site import Site, wait_for
from bench.faults.world import World
from tests.integration.server.support import events, fake_model

STREAMS, QUICK_STREAMS = 50, 8
EXIT_S = 10.0
PATIENCE_S = 120.0


@dataclass(slots=True)
class Reader(threading.Thread):
    """Reads one stream of events to its end."""

    url: str
    text: str = ""
    ended: str = ""

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        body = {"message": "Where do we wipe the account?"}
        try:
            with httpx.stream("POST", f"{self.url}/api/chat", json=body, timeout=PATIENCE_S) as response:
                for piece in response.iter_text():
                    self.text += piece
            self.ended = "closed"
        except httpx.HTTPError as error:
            self.ended = f"{type(error).__name__}: {error}"

    def under_way(self) -> bool:
        """Writing has begun, or will not begin any more."""
        return "event: token" in self.text or bool(self.ended)

    @property
    def last(self) -> str:
        found = events(self.text)
        if not found:
            return self.ended or "nothing"
        name, data = found[-1]
        return f"{name} {data['error']['code']}" if name == "error" else name


def measure(world: World) -> list[Check]:
    count = world.size(STREAMS, QUICK_STREAMS)
    with fake_model() as fake:
        fake.says = ["a piece "] * 10_000
        fake.pause = 0.25
        served = Site(world.copy("streams"), {**world.settings, "RANKLOOP_LLM_BASE_URL": fake.url})
        try:
            served.start()
            served.wait_for_trainer()
            readers = []
            for _ in range(count):  # one after the other: the server bounds how many wait for the search
                readers.append(Reader(served.url))
                readers[-1].start()
                wait_for(readers[-1].under_way, PATIENCE_S, 0.02)
            open_before = sum("event: token" in one.text and one.is_alive() for one in readers)
            code, seconds = served.stop()
            for one in readers:
                one.join(PATIENCE_S)
            gone = _trainer_gone(served)
        finally:
            served.close()
    ends = Counter(one.last for one in readers)
    torn = [one.last for one in readers if one.last not in ("error stopping", "done") or one.ended != "closed"]
    told = ", ".join(f"{name} {number}" for name, number in ends.most_common())
    return [
        Check("streams open at SIGTERM", str(count), str(open_before), open_before == count),
        none_of("streams that ended without an event", torn, count, f"streams ({told})"),
        Check(
            "exit",
            f"code 0 within {EXIT_S:.0f} s",
            f"code {code} after {seconds:.1f} s",
            code == 0 and seconds <= EXIT_S,
        ),
        Check("the trainer ends with it", "yes", f"{gone:.1f} s later" if gone is not None else "no", gone is not None),
    ]


def _trainer_gone(served: Site) -> float | None:
    began = time.monotonic()
    gone = wait_for(lambda: served.trainer() is None, 60)
    return time.monotonic() - began if gone else None
