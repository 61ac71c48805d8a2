"""What every cell shares: the corpus indexed once by the product, and the first-stage lists of every query."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import corpus as corpora
from bench.corpus import Corpus
from bench.harness import served
from bench.loop.paraphrase import paraphrase
from server.indexing.recover import sync_index
from server.retrieval.retrieve import Retriever
from store import chunks
from store.database import Database, migrate
from store.encoder import Encoder
from store.errors import RankloopError
from store.settings import Settings
from store.types import Candidate, Chunk, JobState
from store.vectors import VectorIndex

REPO = "cosqa"
DEPTH = 50
"""Candidates that are ranked: the product's own default."""
NEVER = "0 4 1 1 *"
"""The nightly job is asked for over HTTP, so its schedule must not fire by itself."""
QUIET: Mapping[str, str] = {
    "RANKLOOP_AUTO_PROMOTE": "false",
    "RANKLOOP_NIGHTLY_CRON": NEVER,
    "RANKLOOP_DEPTH": str(DEPTH),
    "RANKLOOP_RERANK_ENGINE": "openvino-fp32",
}
_INDEXING_S = 3600.0


@dataclass(frozen=True, slots=True)
class World:
    """The indexed corpus and its queries. ``lists``: query → candidates in first-stage order."""

    corpus: Corpus
    root: Path
    lists: Mapping[str, tuple[Candidate, ...]]
    paraphrases: Mapping[str, str]
    depth: int = DEPTH

    @property
    def index(self) -> Path:
        """The data directory that every cell starts from a copy of."""
        return self.root / "index"

    def copy_to(self, name: str, source: Path | None = None) -> Path:
        """A fresh copy of a data directory (default: the index). No server may be running on it."""
        target = self.root / "cells" / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source or self.index, target)
        if self.night_features.exists():
            shutil.copytree(self.night_features, target / "features", dirs_exist_ok=True)
        return target

    def keep_features(self, data: Path) -> None:
        """Let the next cell's nights begin with the features of this one's: most of its pairs are the same."""
        if (data / "features").exists():
            shutil.rmtree(self.night_features, ignore_errors=True)
            shutil.copytree(data / "features", self.night_features)

    @property
    def night_features(self) -> Path:
        """Of the nights of earlier cells."""
        return self.root / "nights"


def read_corpus(folder: Path, functions: int | None, queries: int | None) -> Corpus:
    """The corpus, or a slice of it for a dry run: the first queries, their functions, and others up to the number.

    Raises RankloopError unless each query has exactly one right place, which the bench's metrics rest on.
    """
    whole = corpora.load(folder)
    questions = whole.questions[:queries]
    if any(len(question.relevant) != 1 for question in questions):
        raise RankloopError("bench/loop needs queries with exactly one right place each")
    if functions is None:
        return Corpus(whole.name, whole.code, questions)
    right = {path for question in questions for path in question.relevant}
    others = [path for path in whole.code if path not in right][: max(0, functions - len(right))]
    kept = right | set(others)
    return Corpus(whole.name, {path: code for path, code in whole.code.items() if path in kept}, questions)


def prepare(corpus: Corpus, root: Path, seed: int, *, depth: int = DEPTH, paraphrased: bool = True) -> World:
    """Index once over HTTP, then make the lists once with the server's own retriever; both are kept under ``root``.

    ``depth`` below ``DEPTH`` cuts the lists that are scored. Without ``paraphrased`` those queries get no lists.
    """
    root.mkdir(parents=True, exist_ok=True)
    index = root / "index"
    _index(corpus, root, index)
    paraphrases = {question.query: paraphrase(question.query, seed) for question in corpus.questions}
    queries = [*paraphrases, *(paraphrases.values() if paraphrased else ())]
    file = root / "lists.json"
    rows: dict[str, list[Row]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    missing = [query for query in queries if query not in rows]
    if missing:
        rows.update(_retrieve(index, missing))
        file.write_text(json.dumps(rows), encoding="utf-8")
    cut = {query: rows[query][:depth] for query in queries}
    return World(corpus, root, _candidates(index, cut, queries), paraphrases, depth)


def _index(corpus: Corpus, root: Path, index: Path) -> None:
    """A stopped indexing goes on where it was; an index of an older release is brought to this one's schema."""
    done = root / "indexed"
    if done.exists():
        migrate(Settings(data=index).database)
        return
    corpus.write(root / "code")
    with served(index, root / "index.log", QUIET) as server:
        admin = server.client("bench", admin=True)
        job = admin.wait(admin.add_repo(REPO, str((root / "code").resolve())).job_id, _INDEXING_S)
    if job.state is not JobState.SUCCEEDED:
        raise RankloopError(f"indexing ended as {job.state}: {job.error}")
    done.write_text(json.dumps(job.result), encoding="utf-8")


Row = tuple[int, float, float, float]
"""Chunk id, dense, lexical and fused score."""


def _retrieve(index: Path, queries: Sequence[str]) -> dict[str, list[Row]]:
    settings = Settings(data=index)
    db = Database.open(settings.database)
    encoder = Encoder.load(settings.encoder)
    vectors = VectorIndex.open(settings.qdrant_dir, None, encoder.dimension)
    try:
        sync_index(db, vectors, encoder)
        retriever = Retriever(db, encoder, vectors, settings.first_stage_lexical)
        return {
            query: [
                (one.chunk.id, one.dense_score, one.lexical_score, one.fused_score)
                for one in retriever.retrieve(query, REPO, DEPTH)
            ]
            for query in dict.fromkeys(queries)
        }
    finally:
        vectors.close()
        db.dispose()


def _candidates(
    index: Path, rows: Mapping[str, Sequence[Row]], queries: Iterable[str]
) -> dict[str, tuple[Candidate, ...]]:
    db = Database.open(Settings(data=index).database)
    wanted = dict.fromkeys(queries)
    try:
        with db.read() as tx:
            found: Mapping[int, Chunk] = chunks.get(tx, {row[0] for query in wanted for row in rows[query]})
    finally:
        db.dispose()
    return {
        query: tuple(
            Candidate(
                chunk=found[chunk_id],
                dense_score=dense,
                lexical_score=lexical,
                fused_score=fused,
                first_stage_rank=rank,
                final_score=fused,
                rank=rank,
            )
            for rank, (chunk_id, dense, lexical, fused) in enumerate(rows[query], start=1)
        )
        for query in wanted
    }
