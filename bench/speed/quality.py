"""What each engine does to quality, on all questions that the version was neither fitted nor measured on; untimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bench.loop.scoring import ndcg_at_10, place
from bench.speed.rerank import load_engines
from bench.speed.timing import Row, alone, timed
from bench.speed.world import Speed
from server.retrieval.rerank import Reranker
from store.engines.names import TORCH
from store.loading import LoadedVersion
from store.types import Candidate
from trainer.engines import kendall_tau

RESAMPLES = 10_000


def measure(speed: Speed, rounds: int, say: Callable[[str], None]) -> list[Row]:  # noqa: ARG001
    """ndcg@10 of the served order against torch's in float32, and Kendall's τ of the two orders, a row an engine.

    The interval is a paired bootstrap over questions, 95 %.
    """
    engines = load_engines(speed, say)
    exact = [_ranked(speed, query, engines[TORCH]) for query in _told(speed.queries, TORCH, say)]
    rows = []
    for name, loaded in engines.items():
        if name == TORCH:
            continue
        seconds, found = timed(
            lambda one=loaded, n=name: [_ranked(speed, query, one) for query in _told(speed.queries, n, say)]  # type: ignore[misc]
        )
        taus = [kendall_tau(_scores(want, want), _scores(want, have)) for want, have in zip(exact, found, strict=True)]
        gains = _ndcg(speed, found) - _ndcg(speed, exact)
        low, high = _interval(gains)
        rows.append(
            alone(
                "quality",
                f"{name} against {TORCH}",
                [seconds / len(found)],
                questions=len(found),
                kendall_tau_of_final_order=float(np.mean(taus)),
                **{
                    "ndcg@10_difference": float(gains.mean()),
                    "95_%_interval": f"{low:+.5f} to {high:+.5f}",
                    f"ndcg@10_by_{TORCH}": float(_ndcg(speed, exact).mean()),
                },
            )
        )
    return rows


def _told(queries: Sequence[str], name: str, say: Callable[[str], None]) -> list[str]:
    say(f"quality: {name} on {len(queries)} questions")
    return list(queries)


def _ranked(speed: Speed, query: str, loaded: LoadedVersion) -> list[Candidate]:
    return list(Reranker.rerank(query, speed.candidates(query), loaded))


def _scores(order: Sequence[Candidate], scored: Sequence[Candidate]) -> np.ndarray:
    """Final scores of ``scored``, in ``order``."""
    by_id = {one.chunk.id: one.final_score for one in scored}
    return np.asarray([by_id[one.chunk.id] for one in order])


def _ndcg(speed: Speed, ranked: Sequence[Sequence[Candidate]]) -> np.ndarray:
    """Of each question."""
    pairs = zip(speed.queries, ranked, strict=True)
    return np.asarray([ndcg_at_10(place(list(one), speed.relevance(query))) for query, one in pairs])


def _interval(gains: np.ndarray) -> tuple[float, float]:
    drawn = np.random.default_rng(0).integers(0, len(gains), (RESAMPLES, len(gains)))
    low, high = np.quantile(gains[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)
