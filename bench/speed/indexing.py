"""Indexing over HTTP: cold, unchanged, after one edit; against ``SentenceTransformer.encode`` of the same chunks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from bench.corpus import Corpus
from bench.harness import served
from bench.speed.search import texts_and_vectors
from bench.speed.timing import Pair, Row, row, timed
from bench.speed.world import REPO, SETTINGS, Speed
from rankloop.client import Client
from server.schemas.jobs import JobView
from store.encoder import Encoder
from store.errors import RankloopError
from store.settings import Settings
from store.types import JobState

PATIENCE_S = 3600.0


def measure(speed: Speed, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Each round: index an empty data directory, the same again, one changed file; then encode the chunks plainly.

    The plain call cuts and stores nothing: it is given the chunks that the product made.
    """
    settings = Settings()
    encoder = Encoder.load(settings.encoder)
    plain = SentenceTransformer(str(encoder.model_path), device="cpu", local_files_only=True)
    root = speed.world.root / "speed-indexing"
    files = speed.world.corpus.code
    cold: list[Pair] = []
    unchanged: list[Pair] = []
    edited: list[Pair] = []
    count = 0
    for number in range(rounds):
        say(f"indexing: round {number + 1} of {rounds}, {len(files)} files")
        shutil.rmtree(root, ignore_errors=True)
        code = root / "code"
        Corpus("speed", files, ()).write(code)
        with served(_data(root), root / "server.log", SETTINGS) as server:
            admin = server.client("bench", admin=True)
            first = _seconds(_finished(admin, lambda a=admin, c=code: a.add_repo(REPO, str(c.resolve())).job_id))  # type: ignore[misc]
            again = _seconds(_finished(admin, lambda a=admin: a.start_job("index", repo=REPO)))  # type: ignore[misc]
            _edit(code / next(iter(files)), number)
            after = _seconds(_finished(admin, lambda a=admin: a.start_job("index", repo=REPO)))  # type: ignore[misc]
        kept = texts_and_vectors(root / "data", encoder.name)
        count = len(kept)
        texts = [text for text, _ in kept]
        plain_s, made = timed(lambda t=texts: plain.encode(t, show_progress_bar=False))  # type: ignore[misc]
        cosines = np.sum(_unit(made) * _unit(np.stack([vector for _, vector in kept])), axis=1)
        cold.append(Pair(plain_s, first))
        unchanged.append(Pair(first, again))
        edited.append(Pair(first, after))
    pace = {"chunks": count, "chunks_per_second": count / float(np.median([pair.ours for pair in cold]))}
    quality = {"least_cosine": float(cosines.min()), "mean_cosine": float(cosines.mean())}
    return [
        row("indexing", "cold, against SentenceTransformer.encode", cold, **pace, **quality),
        row("indexing", "unchanged, against cold", unchanged, chunks=count),
        row("indexing", "one file changed, against cold", edited, chunks=count),
    ]


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _data(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    return root / "data"


def _finished(admin: Client, start: Callable[[], int]) -> JobView:
    """Raises RankloopError when the job fails."""
    job = admin.wait(start(), PATIENCE_S)
    if job.state is not JobState.SUCCEEDED:
        raise RankloopError(f"indexing ended as {job.state}: {job.error}")
    return job


def _seconds(job: JobView) -> float:
    """As the server timed it, so that polling counts for nothing."""
    assert job.started_at is not None
    assert job.finished_at is not None
    return (job.finished_at - job.started_at).total_seconds()


def _edit(file: Path, number: int) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(f"\n\ndef edited_{number}(value):\n    return value * {number}\n")
