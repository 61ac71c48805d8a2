"""Versions over one frozen body differ in their linear head only: each pair's features are computed once for all.

The product's own feature store, with each query's cached list kept on disk, for the evaluation of every arm and the
training of those that the bench trains itself. Nightly jobs compute their own. ``bench.loop`` compares 50 queries
scored this way with what the server answers over HTTP.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from store.engines.convert import Positional, convert
from store.engines.fast import FastScorer as Served
from store.engines.features import FastFeatures
from store.engines.openvino import OpenVino
from store.errors import ModelRefused, Unavailable
from store.scorer import Logits, Scorer
from store.types import Candidate
from trainer.approach import Task
from trainer.base import body_of
from trainer.engines import LEAST_TAU, kendall_tau
from trainer.evaluate import Scores
from trainer.features import FeatureProgress, FeatureStore
from trainer.fit_night import HeadFitting
from trainer.recipe import HeadRecipe


class KeptFeatures(FeatureStore):
    """Features by pair. A pair of a cached list brings its whole list along, which is kept below ``root``."""

    def __init__(self, base: Path, max_length: int, root: Path, lists: Mapping[str, Sequence[Candidate]]) -> None:
        super().__init__(base, max_length, lambda: False)
        self._root = root / str(body_of(base))[:16]
        self._root.mkdir(parents=True, exist_ok=True)
        self._texts = {query: tuple(dict.fromkeys(one.chunk.text for one in found)) for query, found in lists.items()}

    def prepare(
        self, pairs: Iterable[tuple[str, str]], report: Callable[[FeatureProgress], None] = lambda _: None
    ) -> int:
        wanted = [pair for pair in dict.fromkeys(pairs) if pair not in self._rows]
        listed = dict.fromkeys(query for query, text in wanted if text in self._texts.get(query, ()))
        fresh = [query for query in listed if not self._load(query)]
        lists = [(query, text) for query in fresh for text in self._texts[query]]
        made = super().prepare([*wanted, *lists], report)
        for query in fresh:
            self._save(query)
        return made

    def _load(self, query: str) -> bool:
        if not self._file(query).exists():
            return False
        rows = np.load(self._file(query))
        self._rows.update({(query, text): row for text, row in zip(self._texts[query], rows, strict=True)})
        return True

    def _save(self, query: str) -> None:
        part = self._file(query).with_suffix(".part.npy")
        np.save(part, np.stack([self._rows[(query, text)] for text in self._texts[query]]))
        part.rename(self._file(query))

    def _file(self, query: str) -> Path:
        name = hashlib.sha256("\0".join([query, *self._texts[query]]).encode()).hexdigest()[:24]
        return self._root / f"{name}.npy"


class KeptFitting(HeadFitting):
    """The product's head fitting, over the bench's features."""

    def __init__(self, task: Task, recipe: HeadRecipe, features: FeatureStore) -> None:
        super().__init__(task, recipe)
        self._features = features


class Hastened:
    """Scores of a version over a body of its own: by OpenVINO in bfloat16, as the product would serve it, where the
    processor has that and it orders the first list as torch does; else by features in float32; else by torch."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._served = _served(scorer)
        self._checked = self._served is None
        self._features = FastFeatures(scorer)
        self._ready = self._served is None and self._hasten()

    def score(self, query: str, texts: Sequence[str]) -> Logits:
        if self._served is not None:
            made = self._served.score(query, texts)
            if self._checked or kendall_tau(made, self._scorer.score(query, texts)) >= LEAST_TAU:
                self._checked = self._checked or len(texts) > 1
                return made
            self._served, self._ready = None, self._hasten()
        head = self._scorer.head
        if head is None or not self._ready:
            return self._scorer.score(query, texts)
        made = self._features.features([(query, text) for text in texts], lambda _: None)
        return np.asarray(made @ head[0] + head[1], dtype=np.float32)

    def _hasten(self) -> bool:
        return self._scorer.head is not None and bool(self._features.hasten())


def _served(scorer: Scorer) -> Served | None:
    try:
        model = convert(Positional(scorer.network, scorer.inputs), scorer.inputs)
        return Served("openvino-bf16", scorer, OpenVino(model, "bf16"))
    except (Unavailable, ModelRefused):
        return None


class FastScorer(Scorer):
    """The logits of a loaded version, each computed once."""

    def __init__(self, scores: Scores) -> None:
        self._scores = scores
        self._known: dict[str, dict[str, float]] = {}

    def score(self, query: str, texts: Sequence[str]) -> Logits:
        known = self._known.setdefault(query, {})
        new = list(dict.fromkeys(text for text in texts if text not in known))
        known.update(zip(new, self._scores.score(query, new).tolist(), strict=True))
        return np.asarray([known[text] for text in texts], dtype=np.float32)
