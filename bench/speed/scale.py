"""``python -m bench.speed.scale --chunks 100000``: search when the index is large.

Texts and vectors are those of the prepared corpus, repeated: each copy's identifiers get a suffix, so that the lexical
index grows in terms too, and each copy's vector is moved a little and normed again. Real code of that size would have
more different words and fewer near neighbours; the figures are about time and memory, not about quality.
"""

from __future__ import annotations

import argparse
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
from rich.console import Console

from bench.speed import report
from bench.speed.search import texts_and_vectors
from bench.speed.timing import Row, alone, timed
from store import chunks, lexical, repos, texts
from store.database import Database, migrate
from store.encoder import Encoder
from store.settings import Settings
from store.types import ChunkDraft, Vector
from store.vectors import Point, VectorIndex

REPO = "scale"
POOL = 100
"""Hits asked of each search, as a server does for 50 candidates."""
NOISE = 0.3
"""Length of what is added to a unit vector: copies then have a cosine of about 0.92 with each other."""
QUERIES = (
    "how to read a json file",
    "sort a list of dictionaries by the value of a key",
    "the path of a file is not set",
)
_NAME = re.compile(r"\bdef (\w+)")
console = Console(highlight=False)


def grown(found: Sequence[tuple[str, Vector]], count: int, seed: int = 7) -> Iterator[tuple[str, Vector]]:
    """``count`` different texts with a unit vector each, made from real ones."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        text, vector = found[number % len(found)]
        copy = number // len(found)
        moved = vector.astype(np.float32) + (NOISE if copy else 0) * _unit(rng.standard_normal(len(vector)))
        changed = _NAME.sub(rf"def \1_{copy}", text) + (f"\n# {copy}" if copy else "")
        yield changed, _unit(moved)


def _unit(vector: npt.NDArray[np.floating[Any]]) -> Vector:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def fill(db: Database, encoder: str, found: Iterator[tuple[str, Vector]]) -> None:
    """Chunks, their vectors and the lexical index, as indexing writes them."""
    now = datetime.now(UTC)
    with db.write() as tx:
        repos.add(tx, REPO, f"/{REPO}", now)
    for number, page in enumerate(_pages(found, 2000)):
        with db.write() as tx:
            path, hashed = f"file_{number}.py", {texts.content_hash(text): (text, vector) for text, vector in page}
            drafts = [
                ChunkDraft(path, n, n, f"name_{n}", "python", text, key)
                for n, (key, (text, _)) in enumerate(hashed.items(), 1)
            ]
            chunks.replace_file(tx, REPO, path, drafts, now)
            texts.put_vectors(tx, encoder, {key: vector for key, (_, vector) in hashed.items()})
            chunks.bump_generation(tx)


def _pages(found: Iterator[tuple[str, Vector]], size: int) -> Iterator[list[tuple[str, Vector]]]:
    page: list[tuple[str, Vector]] = []
    for one in found:
        page.append(one)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page


def measure(found: Sequence[tuple[str, Vector]], count: int, root: Path, say: Callable[[str], None]) -> list[Row]:
    """Start (filling the dense index from SQL), dense and lexical search of everything and of one repository by name,
    and memory at ``count`` chunks."""
    settings = Settings(data=root / str(count))
    encoder = Encoder.load(settings.encoder)
    if not (settings.data / "filled").exists():
        shutil.rmtree(settings.data, ignore_errors=True)
        settings.data.mkdir(parents=True)
        migrate(settings.database)
    db = Database.open(settings.database)
    if not (settings.data / "filled").exists():
        say(f"scale: writing {count:,} chunks")
        fill(db, encoder.name, grown(found, count))
        (settings.data / "filled").write_text("")
    before = psutil.Process().memory_info().rss
    say("scale: filling the dense index")
    vectors = VectorIndex.open(None, None, encoder.dimension)
    start_s, _ = timed(lambda: vectors.rebuild(_points(db, encoder.name)))
    memory = (psutil.Process().memory_info().rss - before) / 2**20
    dense: dict[str | None, list[float]] = {None: [], REPO: []}
    matched: dict[str | None, list[float]] = {None: [], REPO: []}
    for _ in range(3):
        for query in QUERIES:
            vector = encoder.encode_one(query)
            for repo in dense:
                dense[repo].append(timed(lambda v=vector, r=repo: vectors.search(v, r, POOL))[0])  # type: ignore[misc]
                with db.read() as tx:
                    seconds, _ = timed(lambda q=query, t=tx, r=repo: lexical.search(t, q, r, POOL))  # type: ignore[misc]
                matched[repo].append(seconds)
    size = sum(file.stat().st_size for file in settings.data.iterdir() if file.is_file()) / 2**20
    vectors.close()
    db.dispose()
    return [
        alone("scale", f"{count:,} chunks: start (dense index filled from SQL)", [start_s], megabytes=memory),
        _searched(count, "dense search", dense[None]),
        _searched(count, "lexical search", matched[None], database_mb=size),
        _searched(count, "dense search of one repository, which holds all", dense[REPO]),
        _searched(count, "lexical search of one repository, which holds all", matched[REPO]),
    ]


def _searched(count: int, what: str, seconds: Sequence[float], **more: float) -> Row:
    return alone("scale", f"{count:,} chunks: {what}", seconds, worst_ms=1000 * max(seconds), **more)


def _points(db: Database, encoder: str) -> Iterator[Sequence[Point]]:
    after = 0
    with db.read() as tx:
        while page := chunks.live_vectors(tx, encoder, after, 2048):
            yield page
            after = page[-1][0]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.speed.scale", description=__doc__)
    parser.add_argument("--chunks", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--work", type=Path, default=Path("bench/out/speed"), help="where bench.speed keeps its index")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--page", type=Path, default=Path("docs/speed.md"))
    args = parser.parse_args()
    began = time.perf_counter()
    found = texts_and_vectors(args.work / "index", Settings().encoder)
    rows = [row for count in args.chunks for row in measure(found, count, args.work / "scale", console.print)]
    report.save(rows, args.results, {"seconds": round(time.perf_counter() - began)})
    report.show(rows, console)
    report.write_page(args.results, args.page)


if __name__ == "__main__":
    main()
