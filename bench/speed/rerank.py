"""Reranking: each engine of the version against plain ``CrossEncoder.predict``, with what it does to the order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from sentence_transformers import CrossEncoder

from bench.loop.scoring import ndcg_at_10, place
from bench.speed.timing import Pair, Row, in_turn, row
from bench.speed.world import Speed
from server.retrieval.rerank import Reranker
from store.engines.names import TORCH
from store.errors import ModelRefused
from store.loading import LoadedVersion, load_version
from store.scorer import Logits
from trainer.engines import kendall_tau

SHORT, LONG = 0.25, 0.75
"""A short chunk is in the shortest quarter of all candidates by characters, a long one in the longest."""
CASES = (("real", 10), ("real", 50), ("real", 100), ("short", 50), ("long", 50))


def measure(speed: Speed, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Every case with every engine that the version has here. Each query once, no score cache."""
    plain = CrossEncoder(str(speed.directory), device="cpu", local_files_only=True)

    def predict(query: str, texts: Sequence[str]) -> Logits:
        pairs = [(query, text) for text in texts]
        return np.asarray(plain.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False))

    engines = load_engines(speed, say)
    rows: list[Row] = []
    for kind, count in CASES:
        say(f"rerank: {count} {kind} candidates")
        rows += _case(speed, kind, count, rounds, predict, engines)
    return rows


def load_engines(speed: Speed, say: Callable[[str], None]) -> dict[str, LoadedVersion]:
    """Engine → the version served by it; what can't serve here is told and left out."""
    models = speed.directory.parent
    found = {TORCH: load_version(speed.version, models)}
    for name in ("openvino-fp32", "openvino-bf16"):
        loaded = load_version(speed.version, models, engine=name)
        if loaded.engine.name == name:
            found[name] = loaded
        else:
            say(f"{name}: {loaded.engine.reason}")
    automatic = load_version(speed.version, models, engine="auto").engine
    say(f"a server here would choose {automatic.name}: {automatic.reason}")
    return found


def _case(
    speed: Speed,
    kind: str,
    count: int,
    rounds: int,
    predict: Callable[[str, Sequence[str]], Logits],
    engines: Mapping[str, LoadedVersion],
) -> list[Row]:
    pairs: dict[str, list[Pair]] = {name: [] for name in engines}
    taus: dict[str, list[float]] = {name: [] for name in engines}
    worst = dict.fromkeys(engines, 0.0)
    queries = speed.queries[: rounds + 1]
    for number, query in enumerate(queries):
        texts = _texts(speed, query, kind, count)
        calls = {name: _call(loaded, query, texts) for name, loaded in engines.items()}
        for name, (pair, want, have) in in_turn(lambda q=query, t=texts: predict(q, t), calls).items():  # type: ignore[misc]
            if number > 0:  # the first warms up
                pairs[name].append(pair)
            taus[name].append(kendall_tau(want, have))
            worst[name] = max(worst[name], float(np.max(np.abs(want - have))))
    ndcg = _ndcg(speed, queries, engines) if (kind, count) == ("real", 50) else {}
    return [
        row(
            "rerank",
            f"{count} {kind} candidates, {name}",
            pairs[name],
            kendall_tau_of_logits=float(np.mean(taus[name])),
            largest_difference=worst[name],
            **({"ndcg@10_difference": ndcg[name] - ndcg[TORCH], "queries": len(queries)} if ndcg else {}),
        )
        for name in engines
    ]


def _call(loaded: LoadedVersion, query: str, texts: Sequence[str]) -> Callable[[], Logits]:
    def call() -> Logits:
        logits = loaded.logits(query, texts)
        if logits is None or (loaded.fast is not None and loaded.fast.broken is not None):
            raise ModelRefused(f"{loaded.engine.name}: {loaded.engine.reason}")
        return logits

    return call


def _texts(speed: Speed, query: str, kind: str, count: int) -> list[str]:
    """The query's own candidates, and where they don't reach, those of other queries: of the wanted length.

    Raises ValueError where there are too few.
    """
    others = (one for other in [query, *speed.queries] for one in speed.candidates(other))
    texts = list(dict.fromkeys(one.chunk.text for one in others))
    short, long = np.quantile([len(text) for text in texts], [SHORT, LONG])
    low, high = {"real": (0, np.inf), "short": (0, short), "long": (long, np.inf)}[kind]
    fitting = [text for text in texts if low <= len(text) <= high][:count]
    if len(fitting) < count:
        raise ValueError(f"only {len(fitting)} {kind} candidates; ask for more --rounds, which bring more questions")
    return fitting


def _ndcg(speed: Speed, queries: Sequence[str], engines: Mapping[str, LoadedVersion]) -> dict[str, float]:
    """Mean ndcg@10 of the served order."""
    means = {}
    for name, loaded in engines.items():
        ranked = [Reranker.rerank(query, speed.candidates(query), loaded) for query in queries]
        ranks = [place(one, speed.relevance(query)) for query, one in zip(queries, ranked, strict=True)]
        means[name] = float(np.mean([ndcg_at_10(rank) for rank in ranks]))
    return means
