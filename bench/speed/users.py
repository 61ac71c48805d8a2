"""Questions of many users at the engine: by the server's queue, against each for itself, one after the other.

With 10 candidates each the queue merges up to ``MOST_PAIRS // 10`` waiting questions into one pass. With 50 each no two
fit into a pass, so that nothing is merged and a ratio near 1 only says that the queue itself costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np

from bench.speed.timing import Pair, Row, either_first, row
from bench.speed.world import Speed
from server.retrieval.together import MOST_PAIRS, Together
from store.loading import LoadedVersion, load_version
from store.scorer import Logits

CASES = ((1, 10), (4, 10), (8, 10), (4, 50))
"""Users at once, candidates each."""
EXACT = "openvino-fp32"
Ask = Callable[[LoadedVersion, str, Sequence[str]], Logits]


def measure(speed: Speed, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Each round: so many users ask at once, without and with the queue, in turn which goes first. Ratio: of the time
    until all have their scores; ``mean_wait`` is what a user waits on average."""
    rows: list[Row] = []
    for name, loaded in _engines(speed).items():
        for users, count in CASES:
            say(f"users: {users} with {count} candidates each at {name}")
            rows.append(measured(speed, name, loaded, users, count, rounds))
    return rows


def _engines(speed: Speed) -> dict[str, LoadedVersion]:
    """What a server here would choose, and the engine that rounds nothing."""
    models = speed.directory.parent
    both = (load_version(speed.version, models, engine=wanted) for wanted in ("auto", EXACT))
    return {loaded.engine.name: loaded for loaded in both}


@dataclass(frozen=True, slots=True)
class _InTurn:
    """Without the queue: whoever comes has the engine alone, as one that uses all cores must be had."""

    busy: Lock

    def logits(self, loaded: LoadedVersion, query: str, texts: Sequence[str]) -> Logits:
        with self.busy:
            made = loaded.logits(query, texts)
        assert made is not None
        return made


def measured(speed: Speed, name: str, loaded: LoadedVersion, users: int, count: int, rounds: int) -> Row:
    """One line of the table."""
    queries, asks = speed.queries, (_InTurn(Lock()).logits, Together().logits)
    pairs: list[Pair] = []
    waits: list[tuple[float, float]] = []
    worst = 0.0
    with ThreadPoolExecutor(users) as people:
        for number in range(rounds + 1):
            asked = [queries[(number * users + n) % len(queries)] for n in range(users)]
            plain, ours = (lambda k=ask, a=asked: _all(speed, people, loaded, a, count, k) for ask in asks)
            pair, want, have = either_first(number, plain, ours)
            worst = max(worst, *(float(np.abs(w - h).max()) for (w, _), (h, _) in zip(want, have, strict=True)))
            if number > 0:  # the first warms up
                pairs.append(pair)
                waits += [(w, h) for (_, w), (_, h) in zip(want, have, strict=True)]
    mean = 1000 * np.mean(waits, axis=0)
    return row(
        "users",
        f"{users} at once, {count} real candidates each, {name}",
        pairs,
        questions_a_pass_at_most=max(1, min(users, MOST_PAIRS // count)),
        mean_wait_ms_plain=float(mean[0]),
        mean_wait_ms_ours=float(mean[1]),
        largest_difference=worst,
    )


def _all(
    speed: Speed,
    people: ThreadPoolExecutor,
    loaded: LoadedVersion,
    queries: Sequence[str],
    count: int,
    ask: Ask,
) -> list[tuple[Logits, float]]:
    """Scores of each, and the seconds until they were there."""
    began = time.perf_counter()

    def one(query: str) -> tuple[Logits, float]:
        texts = [candidate.chunk.text for candidate in speed.candidates(query)[:count]]
        return ask(loaded, query, texts), time.perf_counter() - began

    return list(people.map(one, queries))
