"""Search end to end over HTTP, by one user and by many at once; swapping the version."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer

from bench.harness import Served, served
from bench.loop.world import DEPTH
from bench.speed.timing import Pair, Row, alone, row, timed
from bench.speed.world import SETTINGS, Speed
from rankloop.client import Client
from store import chunks
from store.database import Database
from store.encoder import Encoder
from store.errors import Busy
from store.settings import Settings
from store.types import Vector

USERS = (1, 4, 16)


class PlainSearch:
    """What one writes with the two libraries alone: encode, dot product, predict."""

    def __init__(self, speed: Speed) -> None:
        settings = Settings(data=speed.world.index)
        encoder = Encoder.load(settings.encoder)
        self._encoder = SentenceTransformer(str(encoder.model_path), device="cpu", local_files_only=True)
        self._reranker = CrossEncoder(str(speed.directory), device="cpu", local_files_only=True)
        found = texts_and_vectors(speed.world.index, encoder.name)
        self.texts = [text for text, _ in found]
        self._vectors = np.stack([vector for _, vector in found])

    def __call__(self, query: str) -> list[str]:
        vector = self._encoder.encode(query, normalize_embeddings=True, show_progress_bar=False)
        nearest = np.argsort(-(self._vectors @ np.asarray(vector)))[:DEPTH]
        pairs = [(query, self.texts[i]) for i in nearest]
        logits = self._reranker.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)
        return [pairs[i][1] for i in np.argsort(-np.asarray(logits))]


def texts_and_vectors(data: Path, encoder: str) -> list[tuple[str, Vector]]:
    """Every live chunk's text and vector."""
    db = Database.open(Settings(data=data).database)
    try:
        with db.read() as tx:
            found = chunks.live_vectors(tx, encoder, 0, 10_000_000)
            texts = chunks.get(tx, [chunk_id for chunk_id, _, _ in found])
            return [(texts[chunk_id].text, vector) for chunk_id, _, vector in found]
    finally:
        db.dispose()


def measure(speed: Speed, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Each query once, score cache off, no trainer beside the server."""
    plain = PlainSearch(speed)
    data = speed.world.copy_to("speed-search")
    with served(data, data.with_suffix(".log"), SETTINGS) as server:
        admin = server.client("bench", admin=True)
        swaps = _swaps(server, admin, speed.version.id)
        engine = server.client().call("GET", "/readyz")["engine"]
        rows = [alone("swap", "promote or roll back until a search says so", swaps, engine=engine)]
        queries = iter(speed.queries)
        say("search: one user")
        rows.append(_one_user(server, [next(queries) for _ in range(rounds)], plain, engine))
        for users in USERS[1:]:
            say(f"search: {users} users")
            rows.append(_many(server, users, list(speed.queries), engine))
    return rows


def _swaps(server: Served, admin: Client, version: int, rounds: int = 3) -> list[float]:
    taken = []
    for _ in range(rounds):
        for act in (
            lambda: admin.promote(version, "bench", force=True),
            lambda: admin.rollback("bench", to=0),
        ):
            seconds, entry = timed(act)
            assert server.client("bench").search("sort a list").model_version == entry.to_version
            taken.append(seconds)
    admin.promote(version, "bench", force=True)
    return taken[::2]


def _one_user(server: Served, queries: Sequence[str], plain: PlainSearch, engine: str) -> Row:
    client = server.client("user-0")
    client.search(queries[0])
    plain(queries[0])
    pairs = []
    for query in queries[1:]:
        plain_s, _ = timed(lambda q=query: plain(q))  # type: ignore[misc]
        ours_s, _ = timed(lambda q=query: client.search(q))  # type: ignore[misc]
        pairs.append(Pair(plain_s, ours_s))
    return row("search", f"rerank {DEPTH}, 1 user", pairs, engine=engine, **_percentiles([p.ours for p in pairs]))


def _many(server: Served, users: int, queries: Sequence[str], engine: str) -> Row:
    """All queries, dealt to ``users`` people who each ask one after the other. A full queue is counted, not hidden."""
    busy = [0] * users

    def person(number: int) -> list[float]:
        client, taken = server.client(f"user-{number}"), []
        for query in queries[number::users]:
            try:
                seconds, _ = timed(lambda q=query: client.search(q))  # type: ignore[misc]
            except Busy:
                busy[number] += 1
            else:
                taken.append(seconds)
        return taken

    start = time.perf_counter()
    with ThreadPoolExecutor(users) as people:
        seconds = [one for taken in people.map(person, range(users)) for one in taken]
    rate = len(seconds) / (time.perf_counter() - start)
    more = {"searches_per_second": rate, "refused": sum(busy), "engine": engine}
    return alone("search", f"rerank {DEPTH}, {users} users", seconds, **more, **_percentiles(seconds))


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    return {"p50_s": float(np.percentile(seconds, 50)), "p95_s": float(np.percentile(seconds, 95))}
