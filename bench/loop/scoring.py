"""Where the right place stands: cached first-stage lists ranked by the server's own rerank function."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from bench.corpus import Question
from bench.loop.features import FastScorer, Hastened
from bench.loop.world import World
from server.retrieval.rerank import Reranker
from store.blend import first_stage
from store.loading import LoadedVersion
from store.scorer import Scorer
from store.types import FIRST_STAGE_VERSION, Blend, Candidate, Version, VersionForm
from trainer.features import FeatureStore

Rank = int | None
"""Rank of the right place in the reranked list, from 1; None where it was no candidate."""


def mrr_at_10(rank: Rank) -> float:
    """Reciprocal rank within the first ten."""
    return 1.0 / rank if rank is not None and rank <= 10 else 0.0


def ndcg_at_10(rank: Rank) -> float:
    """With one right place the ideal list has it first, so what remains is its discount."""
    return 1.0 / math.log2(rank + 1) if rank is not None and rank <= 10 else 0.0


METRICS = {"mrr@10": mrr_at_10, "ndcg@10": ndcg_at_10}


def no_rerank(lexical: float) -> LoadedVersion:
    """Version 0, as the server has it."""
    return LoadedVersion(
        _stub(FIRST_STAGE_VERSION, VersionForm.FIRST_STAGE, first_stage(lexical)), first_stage(lexical), None
    )


def artefact(directory: Path, blend: Blend, max_length: int) -> LoadedVersion:
    """A trained directory that was never registered, as the server would score with it."""
    scorer = Scorer.load(directory, max_length=max_length)
    return LoadedVersion(_stub(1, VersionForm.CROSS_ENCODER, blend), blend, scorer)


def fast(loaded: LoadedVersion, directory: Path, store: FeatureStore) -> LoadedVersion:
    """The same version for evaluation: scores each pair once, and each pair's features once for all versions."""
    if loaded.scorer is None:
        return loaded
    shortcut = store.shortcut(directory, loaded.scorer)
    return replace(loaded, scorer=FastScorer(Hastened(loaded.scorer) if shortcut is loaded.scorer else shortcut))


def _stub(number: int, form: VersionForm, blend: Blend) -> Version:
    now = datetime(2000, 1, 1, tzinfo=UTC)
    return Version(number, "bench", form, "", None, None, None, blend, {}, None, (), now, None)


def ranking(world: World, query: str, loaded: LoadedVersion) -> list[Candidate]:
    """The query's cached list, best ``final_score`` first."""
    return Reranker.rerank(query, world.lists[query], loaded)


def ranks(world: World, questions: Sequence[Question], loaded: LoadedVersion) -> list[Rank]:
    """Where each question's right place stands, in the questions' order."""
    return [place(ranking(world, question.query, loaded), question.relevant) for question in questions]


def orders(world: World, questions: Sequence[Question], loaded: LoadedVersion) -> tuple[tuple[int, ...], ...]:
    """Of each question the first-stage ranks of its candidates in their final order."""
    return tuple(tuple(row.first_stage_rank for row in ranking(world, one.query, loaded)) for one in questions)


def place(ranked: Sequence[Candidate], relevant: frozenset[str]) -> Rank:
    return next((one.rank for one in ranked if one.chunk.path in relevant), None)


def paraphrased(world: World, questions: Sequence[Question]) -> list[Question]:
    """The same questions in other words."""
    return [Question(world.paraphrases[question.query], question.relevant) for question in questions]


def agreement(world: World, served: Mapping[str, Sequence[tuple[int, float]]], loaded: LoadedVersion) -> float:
    """Largest difference of ``final_score`` between what HTTP gave (chunk id, score) and the cached path.

    ``inf`` where the order differs by more than a tie of 1e-4.
    """
    worst = 0.0
    for query, over_http in served.items():
        own = {one.chunk.id: one.final_score for one in ranking(world, query, loaded)}
        if own.keys() != {chunk_id for chunk_id, _ in over_http}:
            return math.inf
        worst = max(worst, *(abs(own[chunk_id] - score) for chunk_id, score in over_http))
        scores = [own[chunk_id] for chunk_id, _ in over_http]
        if any(later > earlier + 1e-4 for earlier, later in pairwise(scores)):
            return math.inf
    return worst
