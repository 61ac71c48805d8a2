"""What the server holds in memory: one model, 20,000 chunks, after people searched and versions were swapped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import psutil

from bench.harness import Served, served
from bench.speed.scale import fill, grown
from bench.speed.search import texts_and_vectors
from bench.speed.timing import Row, alone
from bench.speed.world import SETTINGS, Speed
from store.database import Database
from store.settings import Settings

CHUNKS = 20_000
USERS = 4
SEARCHES = 5
"""Of each user."""


def measure(speed: Speed, _rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Resident megabytes of the server's process, files' pages included. The trainer is a process of its own."""
    data = speed.world.copy_to("speed-memory")
    say(f"memory: the index grows to {CHUNKS:,} chunks")
    _grow(data)
    with served(data, data.with_suffix(".log"), SETTINGS) as server:
        server.client("bench", admin=True).promote(speed.version.id, "bench", force=True)
        ready = _megabytes(server)
        _search(server, speed.queries)
        searched = _megabytes(server)
        admin = server.client("bench", admin=True)
        admin.rollback("bench", to=0)
        server.client("bench").search("sort a list")
        admin.promote(speed.version.id, "bench", force=True)
        _search(server, speed.queries)
        swapped = _megabytes(server)
    return [
        alone("memory", f"server, one model: {when}", [0.0], megabytes=megabytes, chunks=CHUNKS)
        for when, megabytes in (
            ("ready", ready),
            (f"after {USERS} users searched", searched),
            ("after a swap and searches", swapped),
        )
    ]


def _grow(data: Path) -> None:
    settings = Settings(data=data)
    found = texts_and_vectors(data, settings.encoder)
    db = Database.open(settings.database)
    try:
        fill(db, settings.encoder, islice(grown(found, CHUNKS), len(found), None))
    finally:
        db.dispose()


def _search(server: Served, queries: Sequence[str]) -> None:
    def person(number: int) -> None:
        with server.client(f"user-{number}") as client:
            for query in queries[number::USERS][:SEARCHES]:
                client.search(query)

    with ThreadPoolExecutor(USERS) as people:
        list(people.map(person, range(USERS)))


def _megabytes(server: Served) -> float:
    return float(psutil.Process(server.process.pid).memory_info().rss) / 2**20
