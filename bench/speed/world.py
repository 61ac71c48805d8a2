"""What every part runs on: the corpus indexed once by the product, and a version with a fitted head and its engines."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import corpus as corpora
from bench.loop import world as looping
from bench.loop.world import QUIET, REPO
from store import manifest, registry
from store.bases import RESIDUAL
from store.database import Database
from store.encoder import Encoder
from store.manifest import Probe
from store.published import directory_of
from store.scorer import Scorer
from store.settings import Settings
from store.types import Candidate, EvalQuery, Split, Version
from trainer.base import resolve_base
from trainer.engines import Staged, export_engines
from trainer.features import FeatureStore
from trainer.fit_blend import blend_of
from trainer.fit_night import write_head
from trainer.head import JudgedList, fit_head
from trainer.recipe import DEFAULT

NAME = "bench-speed"
SOME = 25
"""Candidates of each list that the head is fitted on: enough for logits of a usual spread."""
FUNCTIONS = 2000
"""Of the corpus that is made from installed packages."""
FITTED, MEASURED = 40, 40
"""Questions whose labels the head is fitted to, and others on which its engines are measured."""
SETTINGS: Mapping[str, str] = {
    **QUIET,
    "RANKLOOP_TRAINER": "false",
    "RANKLOOP_RERANK_ENGINE": "auto",
    "RANKLOOP_SCORE_CACHE": "0",
}


@dataclass(frozen=True, slots=True)
class Speed:
    """The corpus, its lists, and a version that was built as a night builds one."""

    world: looping.World
    version: Version
    directory: Path

    @property
    def queries(self) -> list[str]:
        """Questions that the version was neither fitted to nor measured on."""
        return [question.query for question in self.world.corpus.questions[FITTED + MEASURED :]]

    def candidates(self, query: str) -> Sequence[Candidate]:
        return self.world.lists[query]

    def relevance(self, query: str) -> frozenset[str]:
        """Paths of the right places."""
        return next(one.relevant for one in self.world.corpus.questions if one.query == query)


def prepare(folder: Path | None, root: Path, questions: int) -> Speed:
    """Index, make the lists, fit and publish the version: each once, kept below ``root``."""
    count = FITTED + MEASURED + questions
    corpus = corpora.from_packages(FUNCTIONS, count, 3) if folder is None else looping.read_corpus(folder, None, count)
    world = looping.prepare(corpus, root, 7, paraphrased=False)
    settings = Settings(data=world.index)
    db = Database.open(settings.database)
    try:
        with db.read() as tx:
            version = next((one for one in registry.list_all(tx) if one.name == NAME), None)
        version = version or _publish(world, db, settings)
    finally:
        db.dispose()
    return Speed(world, version, directory_of(version, settings.models_dir))


def _publish(world: looping.World, db: Database, settings: Settings) -> Version:
    """Raises ModelRefused where what was built does not load."""
    encoder = Encoder.load(settings.encoder)
    bases = settings.data / "bases"
    base = resolve_base(RESIDUAL, encoder.name, encoder.model_path, bases, settings.max_length)
    queries = [question.query for question in world.corpus.questions]
    store = FeatureStore(base.path, settings.max_length, lambda: False)
    lists = [one for number, query in enumerate(queries[:FITTED]) if (one := judged(world, number, query))]
    head = fit_head(lists, lambda one: store.of(one.pairs), DEFAULT)
    staged = registry.staging(settings.models_dir, NAME)
    shutil.copytree(base.path, staged, dirs_exist_ok=True)
    write_head(staged, head)
    scorer = Scorer.load(staged, max_length=settings.max_length)
    scores = scorer.score_pairs(manifest.PROBE_TEXTS).tolist()
    probes = tuple(Probe(q, p, score) for (q, p), score in zip(manifest.PROBE_TEXTS, scores, strict=True))
    blend = blend_of(1.0, DEFAULT.prior_scale, settings.first_stage_lexical)
    texts = {one.chunk.content_hash: one.chunk.text for query in queries for one in world.lists[query]}
    measured = [_eval_query(world, n, query) for n, query in enumerate(queries[FITTED : FITTED + MEASURED])]
    engines, notes = export_engines(Staged(staged, scorer, scorer, probes, blend), measured, texts)
    (staged / "README.md").write_text(f"# {NAME}\n\nMade by bench/speed from labels. {' '.join(notes)}\n")
    draft = registry.VersionDraft(
        NAME, base.name, blend, settings.max_length, probes=probes, engines=engines, metrics={"notes": list(notes)}
    )
    return registry.publish(db, settings.models_dir, staged, draft, datetime.now(UTC))


def judged(world: looping.World, number: int, query: str) -> JudgedList | None:
    """The query's best candidates, all mass on the right one; None where it is not among them."""
    found = world.lists[query][:SOME]
    right = world.corpus.questions[number].relevant
    target = [float(one.chunk.path in right) for one in found]
    if not sum(target):
        return None
    return JudgedList(
        number,
        query,
        tuple(one.chunk.text for one in found),
        tuple(DEFAULT.prior_scale * one.fused_score for one in found),
        tuple(one / sum(target) for one in target),
        (1.0,) * len(found),
        (1.0,) * len(found),
        1.0,
    )


def _eval_query(world: looping.World, number: int, query: str) -> EvalQuery:
    by_text = {one.chunk.content_hash: one for one in reversed(world.lists[query])}
    found = sorted(by_text.values(), key=lambda one: one.first_stage_rank)
    right = next(one.relevant for one in world.corpus.questions if one.query == query)
    return EvalQuery(
        number,
        query,
        Split.HELD_OUT,
        tuple(one.chunk.content_hash for one in found),
        tuple(one.dense_score for one in found),
        tuple(one.lexical_score for one in found),
        {one.chunk.content_hash: 1.0 for one in found if one.chunk.path in right},
    )


__all__ = ["REPO", "SETTINGS", "Speed", "judged", "prepare"]
