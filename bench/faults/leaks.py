"""Two hundred swaps and fifty thousand rerankings in one server: memory, threads and file handles stay as they were."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from transformers import AutoModelForSequenceClassification

from bench.faults.checks import Check, none_of
from bench.faults.site import Site, site
from bench.faults.world import World, publish
from rankloop.client import Client
from store.errors import RankloopError

SWAPS, RERANKINGS = 200, 50_000
QUICK_SWAPS, QUICK_RERANKINGS = 6, 120
SENDERS, DEPTH = 4, 5
ROWS = 100_000
"""Of each version's word embeddings, 12.8 MB: a server that kept old versions would hold gigabytes after all swaps."""
ROUNDS = 20
WARM_ROUNDS = 5
"""After a quarter of the work what is kept on purpose (caches, pools) has been made."""
GROWTH = 0.10
MORE = 3
"""Threads and handles that may be open at one moment and not at another: connections of the load itself."""


@dataclass(frozen=True, slots=True)
class Held:
    megabytes: float
    threads: int
    handles: int


def measure(world: World) -> list[Check]:
    swaps = max(world.size(SWAPS, QUICK_SWAPS), 2)
    rerankings = QUICK_RERANKINGS if world.quick else RERANKINGS * swaps // SWAPS
    rounds = min(ROUNDS, swaps)
    settings = {**world.settings, "RANKLOOP_TRAINER": "false", "RANKLOOP_SCORE_CACHE": "0", "MALLOC_ARENA_MAX": "2"}
    held: list[Held] = []
    errors: list[str] = []
    done = 0
    with site(world.copy("leaks"), settings) as served, ThreadPoolExecutor(SENDERS) as pool:
        versions = [publish(served, f"heavy-{seed}", seed, _heavier).id for seed in (1, 2)]
        admin = served.client("boss", admin=True)
        share = rerankings // rounds // SENDERS
        search = partial(_search, served, world, share)
        for number in range(rounds):
            for _ in range(swaps // rounds):
                done += 1
                errors += _promoted(admin, versions[done % 2])
            for found in pool.map(search, range(SENDERS)):
                errors += found
            held.append(_held(served))
            if number % 5 == 4:
                world.say(f"{done} swaps, {(number + 1) * share * SENDERS:,} rerankings: {held[-1]}")
    first, last = held[min(WARM_ROUNDS, len(held) - 1) - 1], held[-1]
    most = max(one.megabytes for one in held)
    growth = last.megabytes / first.megabytes - 1
    after = f"after {min(WARM_ROUNDS, len(held))} of {rounds} rounds"
    return [
        none_of("requests failed", errors, rerankings, f"rerankings beside {done} swaps"),
        Check(
            "memory",
            f"≤ {GROWTH:.0%} more than {after}",
            f"{growth:+.1%}: {first.megabytes:.0f} → {last.megabytes:.0f} MB (most {most:.0f})",
            growth <= GROWTH,
        ),
        Check("threads", f"≤ {MORE} more", f"{first.threads} → {last.threads}", last.threads - first.threads <= MORE),
        Check(
            "file handles", f"≤ {MORE} more", f"{first.handles} → {last.handles}", last.handles - first.handles <= MORE
        ),
    ]


def _heavier(model: Path) -> None:
    """More rows of word embeddings, which no text uses."""
    found = AutoModelForSequenceClassification.from_pretrained(model)
    found.resize_token_embeddings(ROWS, mean_resizing=False)
    found.save_pretrained(model)


def _promoted(admin: Client, version: int) -> list[str]:
    try:
        admin.promote(version, "bench", force=True)
    except RankloopError as error:
        return [f"promotion: {error.message}"]
    return []


def _search(served: Site, world: World, count: int, sender: int) -> list[str]:
    errors = []
    with Client(served.url, timeout=60.0) as client:
        for number in range(count):
            question = world.corpus.questions[(sender + SENDERS * number) % len(world.corpus.questions)]
            try:
                found = client.search(f"{question.query} {number}", top_k=1, depth=DEPTH, test=True)
            except RankloopError as error:
                errors.append(error.message)
            else:
                errors += [] if found.results[0].rerank_score is not None else ["answered without reranking"]
    return errors


def _held(served: Site) -> Held:
    assert served.process is not None
    process = psutil.Process(served.process.pid)
    return Held(round(process.memory_info().rss / 1e6, 1), process.num_threads(), process.num_fds())
