"""Tiny versions with engines, built as a night builds them and loaded as a server loads them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from store import loading, manifest, published
from store.engines.names import TORCH
from store.engines.openvino import OpenVino
from store.manifest import Engine, Probe
from store.scorer import Scorer
from store.types import Blend, EvalQuery, Split, Version, VersionForm
from trainer.engines import Staged, export_engines

EXACT = "openvino-fp32"
BLEND = Blend(dense=1.0, lexical=0.1, rerank=1.0)
TEXTS = {f"t{n}": f"def read_{n}(path):\n    return parse(path, {n})\n" * (1 + n % 5) for n in range(8)}
LISTS = [
    EvalQuery(
        group_id=n,
        query=f"how to read file {n}",
        split=Split.TRAIN,
        content_hashes=tuple(TEXTS),
        dense_scores=tuple(0.5 - 0.01 * place for place in range(8)),
        lexical_scores=(0.0,) * 8,
        relevance={f"t{n % 8}": 1.0},
    )
    for n in range(12)
]
QUERY, PASSAGES = "how is the config parsed", list(TEXTS.values())


def staged_from(directory: Path) -> Staged:
    scorer = Scorer.load(directory, max_length=256)
    scores = scorer.score_pairs(manifest.PROBE_TEXTS).tolist()
    probes = [Probe(q, p, score) for (q, p), score in zip(manifest.PROBE_TEXTS, scores, strict=True)]
    return Staged(directory, scorer, scorer, probes, BLEND)


def build(directory: Path) -> tuple[Engine, ...]:
    """What a night does with a trained model, as far as engines go."""
    staged = staged_from(directory)
    engines, _ = export_engines(staged, LISTS, TEXTS)
    manifest.write(directory, max_length=256, probes=staged.probes, engines=engines)
    return engines


def load(directory: Path, wanted: str = EXACT) -> loading.LoadedVersion:
    """As a server loads a registered version: the directory is named by its manifest's digest."""
    if directory.exists():
        digest = manifest.read(directory).digest[: published.DIGEST_CHARACTERS]
        directory.rename(directory.with_name(f"v0001-{digest}"))
    named = next(directory.parent.glob("v0001-*"))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    version = Version(
        1, "one", VersionForm.CROSS_ENCODER, "tiny", None, None, named.name, BLEND, {}, None, (), now, None
    )
    return loading.load_version(version, named.parent, engine=wanted)


def scores(loaded: loading.LoadedVersion) -> list[float]:
    rerank, _ = loaded.score(QUERY, PASSAGES, [0.0] * len(PASSAGES), [0.0] * len(PASSAGES))
    assert rerank is not None
    return [float(one) for one in rerank]


def assert_served_by_torch(loaded: loading.LoadedVersion, because: str) -> None:
    assert loaded.engine.name == TORCH
    assert because in loaded.engine.reason
    assert loaded.scorer is not None
    assert scores(loaded) == loaded.scorer.score(QUERY, PASSAGES).tolist()


def edit(directory: Path, change: Callable[[Engine], Engine]) -> None:
    """Publish the directory with other words about its engines than torch."""
    found = manifest.read(directory)
    engines = [one if one.name == TORCH else change(one) for one in found.engines]
    manifest.write(directory, max_length=found.max_length, probes=found.probes, engines=engines)


class Failing(OpenVino):
    """An engine whose library breaks while it runs, as when memory runs out."""

    def __init__(self, error: Exception | None) -> None:
        self.error, self.asked = error, 0

    def run(self, batches: object, out: object) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error
