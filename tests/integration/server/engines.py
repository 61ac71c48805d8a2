"""A champion that more engines than torch may serve."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from store import deployments, manifest, registry
from store.database import Database
from store.engines.convert import write
from store.manifest import Engine, Probe, torch_engine
from store.scorer import Scorer
from store.types import Blend, Decision, Version
from tests import tiny

EXACT = "openvino-fp32"


def publish_engine(db: Database, models: Path) -> Version:
    """A champion whose manifest lists another engine beside torch."""
    staged = registry.staging(models, "engine")
    staged.rmdir()
    tiny.pooled_cross_encoder(staged, seed=5)
    scorer = Scorer.load(staged, max_length=256)
    scores = scorer.score_pairs(manifest.PROBE_TEXTS).tolist()
    probes = tuple(Probe(q, p, score) for (q, p), score in zip(manifest.PROBE_TEXTS, scores, strict=True))
    write(staged, scorer)
    (staged / "README.md").write_text("# engine\n")
    draft = registry.VersionDraft(
        name="engine",
        base="tiny",
        blend=Blend(dense=0.0, lexical=0.0, rerank=1.0),
        max_length=256,
        decision=Decision.PROMOTE,
        probes=probes,
        engines=(torch_engine(probes), Engine(EXACT, 1e-5, 1e-3, tuple(scores))),
    )
    version = registry.publish(db, models, staged, draft, datetime.now(UTC))
    with db.write() as tx:
        deployments.promote(tx, version.id, "test", "test", datetime.now(UTC))
    return version
