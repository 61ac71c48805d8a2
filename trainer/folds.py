"""Out-of-fold scores: every strongly judged training group, scored by a model that never saw it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from store.errors import Cancelled, InvalidInput
from store.scorer import Scorer
from store.types import EvalQuery, Pair
from trainer.evaluate import FloatArray, assign_folds, fold_count, score_queries
from trainer.finetune import TrainProgress, finetune
from trainer.recipe import Recipe


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Lists with the logits of a fold that left their group out, and the fold's number."""

    queries: tuple[EvalQuery, ...] = ()
    logits: tuple[FloatArray, ...] = ()
    folds: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    """Folds that could not be trained, in words."""
    opinions: tuple[EvalQuery, ...] = ()
    """Lists of second opinions, where the approach scores any."""
    opinion_logits: tuple[FloatArray, ...] = ()
    """Their logits by a model that did not hear the person who is their truth."""

    @property
    def by_group(self) -> dict[int, int]:
        """Group → its fold. Groups that have a second opinion alone, since people disagree, are one more fold, -1."""
        own = {query.group_id: fold for query, fold in zip(self.queries, self.folds, strict=True)}
        return {**{query.group_id: -1 for query in self.opinions}, **own}


@dataclass(frozen=True, slots=True)
class FoldRun:
    """What every fold shares."""

    base: Path
    recipe: Recipe
    texts: Mapping[str, str]
    seed: int
    lexical: float
    max_length: int
    near: tuple[tuple[int, ...], ...]
    """Sets of groups that ask nearly the same (``Field.near``)."""
    place: Callable[[str], Path]
    """Name → an empty directory for a fold's model."""
    cancelled: Callable[[], bool]


def out_of_fold(
    run: FoldRun,
    pairs: Sequence[Pair],
    queries: Sequence[EvalQuery],
    report: Callable[[int, int, TrainProgress], None],
) -> OutOfFold:
    """Train each fold with the same recipe and seed as the whole; ``report`` gets (fold, folds, progress).

    A fold whose rest holds nothing to learn from is left out and noted. Raises Cancelled.
    """
    count = fold_count(len(queries))
    if count == 0:
        return OutOfFold(notes=(f"{len(queries)} judged training questions are too few for out-of-fold scores.",))
    places = assign_folds([query.group_id for query in queries], count, run.seed, run.near)
    found: list[tuple[EvalQuery, FloatArray, int]] = []
    notes: list[str] = []
    for fold in range(count):
        own = [query for query in queries if places[query.group_id] == fold]
        if not own:
            continue
        rest = [pair for pair in pairs if places.get(pair.group_id) != fold]
        try:
            logits = _one_fold(run, fold, rest, own, partial(report, fold, count))
        except InvalidInput as error:
            notes.append(f"Fold {fold + 1} of {count} was left out: {error.message}.")
            continue
        found += [(query, scores, fold) for query, scores in zip(own, logits, strict=True)]
    return OutOfFold(
        tuple(query for query, _, _ in found),
        tuple(scores for _, scores, _ in found),
        tuple(fold for _, _, fold in found),
        tuple(notes),
    )


def _one_fold(
    run: FoldRun,
    fold: int,
    pairs: Sequence[Pair],
    queries: Sequence[EvalQuery],
    report: Callable[[TrainProgress], None],
) -> list[FloatArray]:
    directory = run.place(f"fold-{fold}")
    try:
        finetune(
            run.base,
            pairs,
            run.texts,
            run.recipe,
            directory,
            seed=run.seed,
            lexical=run.lexical,
            report=report,
            cancelled=run.cancelled,
        )
        if run.cancelled():
            raise Cancelled("out-of-fold training was asked to stop")
        scorer = Scorer.load(directory, max_length=run.max_length)
        return score_queries(scorer, queries, run.texts, cancelled=run.cancelled)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
