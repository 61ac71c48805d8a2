"""The other arms: trained on what the same people said, with the product's own trainer, past the gate.

Their people ask as often as rankloop's, while nothing reranks. The weight of ``rerank_score`` is fitted inside the
asked half, as the product does it: on out-of-fold scores of the asked queries' own lists, cut at the top 20 for
fine-tuning.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bench.corpus import Question
from bench.harness import Served, served
from bench.loop import predecessor
from bench.loop.cells import KINDS, NIGHTS, USUAL_SEED, Cell, Key, halves
from bench.loop.features import KeptFeatures, KeptFitting
from bench.loop.people import ask_and_rate, tell_the_truth
from bench.loop.person import Model
from bench.loop.predecessor import PREDECESSOR, liked_pairs
from bench.loop.scoring import artefact, fast, no_rerank, orders, paraphrased, ranks
from bench.loop.world import QUIET, World
from store import queries, texts
from store.database import Database, migrate
from store.encoder import Encoder
from store.loading import LoadedVersion
from store.settings import Settings
from store.types import EvalQuery, Json, Pair, Snapshot, Split
from trainer import dataset
from trainer.approach import Approach, FineTuning, Task
from trainer.base import Base, resolve_base
from trainer.evaluate import answerable
from trainer.features import FeatureStore
from trainer.field import Field
from trainer.fit_blend import Dev, blend_of, dev_query, fit_weight, guarded_weight
from trainer.recipe import RECIPES, SEED, AnyRecipe, HeadRecipe

FIT_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Bench:
    """What training an arm needs."""

    world: World
    features: FeatureStore
    encoder: Encoder
    seed: int
    kinds: tuple[str, ...] = KINDS
    """Kinds of query that are scored: each costs an arm that fine-tunes minutes."""

    def place(self, key: Key) -> str:
        """Name of a cell's folders: another seed's people must not be taken for this one's."""
        return key.name if self.seed == USUAL_SEED else f"{key.name}-seed{self.seed:02d}"


@dataclass(frozen=True, slots=True)
class Material:
    """What one arm trains on, and the lists that its blend is fitted on."""

    recipe: AnyRecipe
    pairs: Sequence[Pair]
    dev: Sequence[EvalQuery]
    texts: Mapping[str, str]
    base: Base


def no_rerank_cell(bench: Bench, key: Key) -> Cell:
    """The first stage alone."""
    return _evaluated(bench, key, no_rerank(Settings().first_stage_lexical))


def base_cell(bench: Bench, key: Key) -> Cell:
    """What training starts from, at the weight the product gives it: nothing was fitted."""
    settings = Settings(data=bench.world.index)
    base = _base(settings, bench.encoder, bench.world.root / "bases")
    recipe = RECIPES[settings.recipe]
    blend = blend_of(1.0, recipe.prior_scale, settings.first_stage_lexical)
    loaded = fast(artefact(base.path, blend, settings.max_length), base.path, bench.features)
    return _evaluated(bench, key, loaded, weight=1.0)


def predecessor_cell(bench: Bench, key: Key) -> Cell:
    return _trained(bench, key, lambda data: _material(bench, data, PREDECESSOR, liked_pairs))


def seed_cell(bench: Bench, key: Key) -> Cell:
    return _trained(bench, key, lambda data: _material(bench, data, SEED, None))


def recipe_cell(bench: Bench, key: Key) -> Cell:
    """rankloop's own data set and recipe in one go, outside the job: no gate, no second night. Cheap to repeat."""
    return _trained(bench, key, lambda data: _material(bench, data, RECIPES[Settings().recipe], None))


def oracle_cell(bench: Bench, key: Key) -> Cell:
    """Every true label of the asked half, none held out, with the default recipe."""
    recipe = RECIPES[Settings().recipe]
    return _trained(bench, key, lambda data: _material(bench, data, recipe, None), truth=True)


def _trained(bench: Bench, key: Key, gather: Callable[[Path], Material], truth: bool = False) -> Cell:
    data, did = people_of(bench, key, truth)
    material = gather(data)
    directory = bench.world.root / "artefacts" / bench.place(key)
    lexical = Settings().first_stage_lexical
    approach = _approach(bench, material, directory.parent)
    trained = approach.train(_empty(directory), lambda *_: None)
    weight = _weight(material, approach)
    blend = blend_of(weight, material.recipe.prior_scale, lexical)
    loaded = fast(artefact(directory, blend, Settings().max_length), directory, bench.features)
    log = trained.log.summary()
    notes: Json = {"did": did, "recipe": material.recipe.as_json(), "training": log}
    cell = _evaluated(bench, key, loaded, weight=weight, notes=notes)
    return replace(cell, pairs=len(material.pairs), training_seconds=float(log.get("seconds", 0.0)))


def people_of(bench: Bench, key: Key, truth: bool) -> tuple[Path, Json]:
    """The data directory in which the asked half was asked and rated, and what was done; kept once it is whole."""
    data = bench.world.root / "cells" / bench.place(key)
    file = data / "people.json"
    if not file.exists():
        asked, _ = halves(bench.world.corpus.questions, key.fold, bench.seed)
        bench.world.copy_to(bench.place(key))
        if truth:
            _all_train(bench, data, asked)
        alone = {**QUIET, "RANKLOOP_TRAINER": "false"}
        with served(data, bench.world.root / f"{bench.place(key)}.log", alone) as server:
            did = _people(server, asked, key, bench.seed, truth)
        file.write_text(json.dumps(did) + "\n", encoding="utf-8")
    else:
        migrate(Settings(data=data).database)
    read: Json = json.loads(file.read_text(encoding="utf-8"))
    return data, read


def _people(server: Served, asked: Sequence[Question], key: Key, seed: int, truth: bool) -> Json:
    if truth:
        return tell_the_truth(server, asked).as_json()
    model = Model(wrong=key.wrong / 100)
    days = [ask_and_rate(server, asked, model, seed, night).as_json() for night in range(1, NIGHTS + 1)]
    return {name: sum(day[name] for day in days) for name in days[0]}


def _all_train(bench: Bench, data: Path, asked: Sequence[Question]) -> None:
    """The oracle holds nothing out: every asked query is put on the training side before the product would decide."""
    db = Database.open(Settings(data=data).database)
    vectors = bench.encoder.encode([question.query for question in asked])
    try:
        with db.write() as tx:
            for question, vector in zip(asked, vectors, strict=True):
                queries.add(tx, question.query, vector, None, Split.TRAIN, datetime.now(UTC))
    finally:
        db.dispose()


Derive = Callable[[Database], list[Pair]]


def _material(bench: Bench, data: Path, recipe: AnyRecipe, derive: Derive | None) -> Material:
    """``derive`` None: the product's own data set for the recipe."""
    settings = Settings(data=data)
    db = Database.open(settings.database)
    try:
        snapshot: Snapshot = dataset.build(
            db, bench.encoder, settings, datetime.now(UTC), recipe=recipe.name, seed=bench.seed
        )
        pairs: Sequence[Pair] = snapshot.pairs if derive is None else derive(db)
        whole = isinstance(recipe, HeadRecipe)
        lists = [_cut(query, bench.world.depth if whole else FIT_DEPTH) for query in snapshot.train_queries]
        wanted = {pair.content_hash for pair in pairs} | {name for one in lists for name in one.content_hashes}
        with db.read() as tx:
            known = texts.get(tx, sorted(wanted))
    finally:
        db.dispose()
    dev, _ = answerable(lists, known)
    return Material(recipe, pairs, dev, known, _base(settings, bench.encoder, bench.world.root / "bases"))


def _cut(query: EvalQuery, depth: int) -> EvalQuery:
    return replace(
        query,
        content_hashes=query.content_hashes[:depth],
        dense_scores=query.dense_scores[:depth],
        lexical_scores=query.lexical_scores[:depth],
    )


def _base(settings: Settings, encoder: Encoder, bases: Path) -> Base:
    return resolve_base(settings.base, encoder.name, encoder.model_path, bases, settings.max_length)


def _weight(material: Material, approach: Approach) -> float:
    """As the product chooses it: guarded for a correction of the prior, fitted for logits of no known scale."""
    recipe, lexical = material.recipe, Settings().first_stage_lexical
    found = approach.out_of_fold(lambda *_: None)
    dev = [
        dev_query(query, logits, recipe.prior_scale, lexical)
        for query, logits in zip(found.queries, found.logits, strict=True)
    ]
    choose = fit_weight if recipe is not PREDECESSOR else predecessor.fit_weight
    if recipe.residual:
        choose = guarded_weight
    return choose(Dev([one for one in dev if one is not None]), recipe.unproven_weight)


def _approach(bench: Bench, material: Material, place: Path) -> Approach:
    settings, recipe = Settings(), material.recipe
    task = Task(
        base=material.base,
        pairs=tuple(material.pairs),
        field=Field(
            train=tuple(material.dev),
            held_out=(),
            golden=(),
            general=(),
            texts=material.texts,
            imported=frozenset(),
            notes=(),
        ),
        recipe=recipe,
        seed=bench.seed,
        lexical=settings.first_stage_lexical,
        max_length=settings.max_length,
        imported=False,
        place=lambda name: _empty(place / name),
        cancelled=lambda: False,
    )
    return KeptFitting(task, recipe, bench.features) if isinstance(recipe, HeadRecipe) else FineTuning(task, recipe)


def kept_features(world: World, encoder: Encoder) -> KeptFeatures:
    """The features of the base's body, which every version over it shares."""
    settings = Settings()
    base = _base(settings, encoder, world.root / "bases")
    return KeptFeatures(base.path, settings.max_length, world.root / "features", world.lists)


def _empty(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def _evaluated(
    bench: Bench, key: Key, loaded: LoadedVersion, weight: float | None = None, notes: Json | None = None
) -> Cell:
    asked, unseen = halves(bench.world.corpus.questions, key.fold, bench.seed)
    kinds = {"unseen": unseen, "paraphrased": paraphrased(bench.world, asked), "asked_again": asked}
    return Cell(
        key=key,
        seed=bench.seed,
        queries=len(asked) + len(unseen),
        ranks={kind: tuple(ranks(bench.world, kinds[kind], loaded)) for kind in bench.kinds},
        weight=weight,
        orders=orders(bench.world, unseen, loaded),
        depth=bench.world.depth,
        notes=notes or {},
    )


ARMS: Mapping[str, Callable[[Bench, Key], Cell]] = {
    "no-rerank": no_rerank_cell,
    "base": base_cell,
    "predecessor": predecessor_cell,
    "seed": seed_cell,
    "recipe": recipe_cell,
    "oracle": oracle_cell,
}
