"""Questions of many users at the engine: merged into one pass, against each for itself, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bench.speed.rerank import load_engines
from bench.speed.timing import Pair, Row, row, timed
from bench.speed.world import Speed
from server.retrieval.together import MOST_PAIRS, Together
from store.loading import LoadedVersion
from store.scorer import Logits

USERS = (1, 4, 8)
Ask = Callable[[LoadedVersion, str, Sequence[str]], Logits]


def measure(speed: Speed, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Each round: so many users ask at once, first without and then with the queue. Ratio: of the time until all have
    their scores; ``mean_wait`` is what a user waits on average."""
    rows: list[Row] = []
    for name, loaded in load_engines(speed, say).items():
        for users in USERS:
            say(f"users: {users} at {name}")
            rows.append(_row(speed, name, loaded, users, rounds))
    return rows


def _alone(loaded: LoadedVersion, query: str, texts: Sequence[str]) -> Logits:
    made = loaded.logits(query, texts)
    assert made is not None
    return made


def _row(speed: Speed, name: str, loaded: LoadedVersion, users: int, rounds: int) -> Row:
    queries = speed.queries
    together = Together()
    pairs: list[Pair] = []
    waits: dict[str, list[float]] = {"plain": [], "ours": []}
    worst = 0.0
    with ThreadPoolExecutor(users) as people:
        for number in range(rounds + 1):
            asked = [queries[(number * users + n) % len(queries)] for n in range(users)]
            plain_s, plain = timed(lambda a=asked: _all(speed, people, loaded, a, _alone))  # type: ignore[misc]
            ours_s, ours = timed(lambda a=asked: _all(speed, people, loaded, a, together.logits))  # type: ignore[misc]
            worst = max(worst, *(float(np.abs(w - h).max()) for (w, _), (h, _) in zip(plain, ours, strict=True)))
            if number > 0:  # the first warms up
                pairs.append(Pair(plain_s, ours_s))
                waits["plain"] += [seconds for _, seconds in plain]
                waits["ours"] += [seconds for _, seconds in ours]
    return row(
        "users",
        f"{users} at once, 50 real candidates each, {name}",
        pairs,
        mean_wait_ms_plain=1000 * float(np.mean(waits["plain"])),
        mean_wait_ms_ours=1000 * float(np.mean(waits["ours"])),
        largest_difference=worst,
        most_pairs=MOST_PAIRS,
    )


def _all(
    speed: Speed, people: ThreadPoolExecutor, loaded: LoadedVersion, queries: Sequence[str], ask: Ask
) -> list[tuple[Logits, float]]:
    """Scores of each, and the seconds until they were there."""
    began = time.perf_counter()

    def one(query: str) -> tuple[Logits, float]:
        texts = [candidate.chunk.text for candidate in speed.candidates(query)]
        return ask(loaded, query, texts), time.perf_counter() - began

    return list(people.map(one, queries))
