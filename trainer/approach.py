"""How a recipe becomes a model and its out-of-fold scores: fine-tuning all weights, or fitting the head alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

from store.scorer import Scorer
from store.types import Json, Pair, PairSource
from trainer.base import Base
from trainer.evaluate import Scores, fold_count
from trainer.field import Field
from trainer.finetune import Trained, TrainProgress, finetune
from trainer.folds import FoldRun, OutOfFold, out_of_fold
from trainer.recipe import AnyRecipe, Recipe

Say: TypeAlias = Callable[[float, Json], None]
"""(share of the stage that is done, what to show). ``seconds_left`` counts all training still to come."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one night trains on, whatever the recipe."""

    base: Base
    pairs: tuple[Pair, ...]
    field: Field
    recipe: AnyRecipe
    seed: int
    lexical: float
    """Weight of ``lexical_score`` in the first stage's fusion."""
    max_length: int
    imported: bool
    """Only imported pairs are trained on."""
    place: Callable[[str], Path]
    """Name → an empty directory on the disk of the versions."""
    cancelled: Callable[[], bool]
    kept: Path | None = None
    """Folder for features that the next night may need again."""


class Approach(Protocol):
    """Every call raises Cancelled soon after being asked to stop, InvalidInput where there is nothing to learn from."""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What it trains on, of the task's pairs."""
        ...

    def train(self, staged: Path, say: Say) -> Trained:
        """Write a model into ``staged``."""
        ...

    def out_of_fold(self, say: Say) -> OutOfFold:
        """Scores of the training lists by models that never saw their groups; after ``train``."""
        ...

    def shortcut(self, directory: Path, scorer: Scorer, /) -> Scores:
        """What gives the scores of a loaded model directory at the least cost."""
        ...


class FineTuning:
    """All weights, by ``CrossEncoderTrainer``; a fold costs as much as its share of the whole."""

    def __init__(self, task: Task, recipe: Recipe) -> None:
        rated = tuple(pair for pair in task.pairs if pair.source is not PairSource.CODE_QUESTION)
        self._task, self._recipe = replace(task, pairs=rated), recipe  # code questions were only measured for a head
        self._seconds = 0.0

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return self._task.pairs

    def train(self, staged: Path, say: Say) -> Trained:
        task = self._task
        folds = fold_count(len(task.field.train))

        def report(line: TrainProgress) -> None:
            whole = line.steps * line.seconds_left / max(1, line.steps - line.step)
            left = line.seconds_left + whole * max(0, folds - 1)
            say(line.step / line.steps, {**line.as_json(), "seconds_left": round(left, 1)})

        trained = finetune(
            task.base.path,
            task.pairs,
            task.field.texts,
            self._recipe,
            staged,
            seed=task.seed,
            lexical=task.lexical,
            imported=task.imported,
            report=report,
            cancelled=task.cancelled,
        )
        self._seconds = trained.log.seconds
        return trained

    def out_of_fold(self, say: Say) -> OutOfFold:
        task = self._task
        run = FoldRun(
            base=task.base.path,
            recipe=self._recipe,
            texts=task.field.texts,
            seed=task.seed,
            lexical=task.lexical,
            max_length=task.max_length,
            near=task.field.near,
            place=task.place,
            cancelled=task.cancelled,
        )

        def report(fold: int, folds: int, line: TrainProgress) -> None:
            left = line.seconds_left + (folds - fold - 1) * self._seconds * (folds - 1) / folds
            more = {"seconds_left": round(left, 1), "fold": fold + 1, "folds": folds}
            say((fold + line.step / line.steps) / folds, {**line.as_json(), **more})

        return out_of_fold(run, task.pairs, task.field.train, report)

    def shortcut(self, _: Path, scorer: Scorer) -> Scores:
        return scorer
