"""The default approach: fit the head on features of a body that stays as it is."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder

from store.errors import InvalidInput
from store.forms import HEAD_WEIGHTS
from store.scorer import Scorer
from store.types import EvalQuery, Pair, PairSource
from trainer.approach import Say, Task
from trainer.collate import require_both_classes, usable_pairs
from trainer.evaluate import FloatArray, Scores, assign_folds, score_queries
from trainer.features import FeatureProgress, FeatureStore, Head, HeadScores
from trainer.finetune import Trained, TrainLog, TrainProgress, probes_of
from trainer.folds import OutOfFold
from trainer.head import FitStep, JudgedList, fit_head, judged_lists
from trainer.recipe import HeadRecipe

FOLDS = 5
MOST_FOLDED = 600
"""Training lists that are scored out of fold: enough for a proof (docs/LOG.md), and each costs a full rerank."""
_FEATURES = 0.95
"""Share of the training stage that computing features takes."""


class HeadFitting:
    """Features once, then heads for the version and its folds in seconds."""

    def __init__(self, task: Task, recipe: HeadRecipe) -> None:
        """Raises InvalidInput for a base that does not end in a linear head over pooled features."""
        self._task, self._recipe = task, recipe
        self._features = FeatureStore(task.base.path, task.max_length, task.cancelled, task.kept)
        self._lists: list[JudgedList] = []

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return self._task.pairs

    def train(self, staged: Path, say: Say) -> Trained:
        task, recipe, began = self._task, self._recipe, time.monotonic()
        usable, without_text = usable_pairs(task.pairs, task.field.texts)
        require_both_classes([pair for pair in usable if pair.source is not PairSource.CODE_QUESTION])
        self._lists = judged_lists(usable, task.field.texts, recipe, task.lexical)
        pairs = {pair for one in self._lists for pair in one.pairs}
        self._compute(pairs, _FEATURES, say)
        watch = _Watch(recipe.max_steps, len(pairs), say)
        head = fit_head(self._lists, self._own, recipe, watch, task.cancelled)
        shutil.copytree(task.base.path, staged, dirs_exist_ok=True)
        write_head(staged, head)
        model = CrossEncoder(str(staged), device="cpu", local_files_only=True)
        lines = tuple(watch.lines.values())
        log = TrainLog(
            rows=len(self._lists),
            pairs=sum(len(one.passages) for one in self._lists),
            pairs_without_text=without_text,
            steps=lines[-1].step,
            epochs=lines[-1].step,
            seconds=time.monotonic() - began,
            precision="fp32",
            device="cpu",
            loss_first=lines[0].loss,
            loss_last=lines[-1].loss,
            table=lines,
        )
        return Trained(log, probes_of(model))

    def out_of_fold(self, say: Say) -> OutOfFold:
        """Every list of every body of evidence gets its features here; then the folds take seconds."""
        field, seed = self._task.field, self._task.seed
        queries = _some(field.train, seed)
        others = (*field.held_out, *field.imported_lists, *field.golden, *field.general)
        opinions = _some([one.query for one in field.second_opinions], seed)
        before = self._before(opinions)
        taught = {pair for one in before for pair in one.pairs}
        self._compute(self._pairs((*queries, *others, *opinions)) | taught, 1.0, say)
        folds = min(FOLDS, len(queries) // 2) if len(queries) >= 4 else 0
        if folds == 0:
            return OutOfFold(notes=(f"{len(queries)} judged training questions are too few for out-of-fold scores.",))
        places = assign_folds([query.group_id for query in field.train], folds, seed, field.near)
        found: list[tuple[EvalQuery, FloatArray, int]] = []
        notes: list[str] = []
        for fold in range(folds):
            own = [query for query in queries if places[query.group_id] == fold]
            if not own:
                continue
            rest = [one for one in self._lists if places.get(one.group_id) != fold]
            try:
                found += [(query, logits, fold) for query, logits in self._fold(rest, own)]
            except InvalidInput as error:
                notes.append(f"Fold {fold + 1} of {folds} was left out: {error.message}.")
        if len(queries) < len(field.train):
            notes.append(f"{len(queries)} of {len(field.train)} judged training questions were scored out of fold.")
        said = self._fold(before, opinions) if before else []
        return OutOfFold(
            tuple(query for query, _, _ in found),
            tuple(scores for _, scores, _ in found),
            tuple(fold for _, _, fold in found),
            tuple(notes),
            tuple(query for query, _ in said),
            tuple(scores for _, scores in said),
        )

    def shortcut(self, directory: Path, scorer: Scorer) -> Scores:
        return self._features.shortcut(directory, scorer)

    def _fold(self, rest: Sequence[JudgedList], own: Sequence[EvalQuery]) -> list[tuple[EvalQuery, FloatArray]]:
        head = fit_head(rest, self._own, self._recipe, cancelled=self._task.cancelled)
        scores = HeadScores(self._features, head)
        logits = score_queries(scores, own, self._task.field.texts, cancelled=self._task.cancelled)
        return list(zip(own, logits, strict=True))

    def _before(self, opinions: Sequence[EvalQuery]) -> list[JudgedList]:
        """All lists, those of these second opinions as others had judged them before; none without any."""
        task = self._task
        groups = {one.group_id for one in opinions}
        rest = [pair for pair in task.pairs if pair.group_id not in groups]
        before = [pair for one in task.field.second_opinions if one.query.group_id in groups for pair in one.pairs]
        usable, _ = usable_pairs([*rest, *before], task.field.texts)
        return judged_lists(usable, task.field.texts, self._recipe, task.lexical) if opinions else []

    def _own(self, one: JudgedList) -> FloatArray:
        return self._features.of(one.pairs)

    def _pairs(self, queries: Iterable[EvalQuery]) -> set[tuple[str, str]]:
        texts = self._task.field.texts
        return {(query.query, texts[name]) for query in queries for name in query.content_hashes}

    def _compute(self, pairs: Iterable[tuple[str, str]], width: float, say: Say) -> None:
        def report(line: FeatureProgress) -> None:
            say(width * line.pairs_done / line.pairs, line.as_json())

        self._features.prepare(pairs, report)


class _Watch:
    """Keeps the last evaluation of each iteration, and reports it as a training step."""

    def __init__(self, steps: int, pairs: int, say: Say) -> None:
        self.lines: dict[int, TrainProgress] = {}
        self._steps, self._pairs, self._say = steps, pairs, say
        self._began, self._evaluations = time.monotonic(), 0

    def __call__(self, step: FitStep) -> None:
        self._evaluations += 1
        seconds = max(time.monotonic() - self._began, 1e-9)
        line = TrainProgress(
            step=step.iteration,
            steps=self._steps,
            epoch=float(step.iteration),
            loss=step.loss,
            learning_rate=step.step_length,
            pairs_per_second=self._evaluations * self._pairs / seconds,
            seconds_left=seconds / self._evaluations * max(0, self._steps - step.iteration),
        )
        self.lines[step.iteration] = line
        self._say(_FEATURES + (1 - _FEATURES) * step.iteration / self._steps, line.as_json())


def write_head(directory: Path, head: Head) -> None:
    """Put a head into a model directory of the pooled form; every other byte stays as it is."""
    weights = {"linear.weight": torch.from_numpy(head.weights)[None, :], "linear.bias": torch.tensor([head.bias])}
    file = directory / HEAD_WEIGHTS
    file.unlink()
    save_file({name: tensor.float().contiguous() for name, tensor in weights.items()}, file, {"format": "pt"})


def _some(queries: Sequence[EvalQuery], seed: int) -> tuple[EvalQuery, ...]:
    """At most ``MOST_FOLDED`` lists, the same for the same groups and seed."""
    if len(queries) <= MOST_FOLDED:
        return tuple(queries)
    place = assign_folds([query.group_id for query in queries], len(queries), seed)
    return tuple(query for query in queries if place[query.group_id] < MOST_FOLDED)
