"""Fine-tune a cross-encoder on pairs with sentence-transformers' ``CrossEncoderTrainer``.

1. keep the pairs that carry weight and have a text   2. rows for every epoch   3. load the base
4. loss   5. training arguments   6. train, reporting each step   7. save safetensors   8. return the log
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset, disable_progress_bars  # type: ignore[import-untyped]
from sentence_transformers import CrossEncoder
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
from torch.utils.data import SequentialSampler
from transformers import TrainerCallback
from transformers.utils import logging as transformers_logging

from store.errors import Cancelled, InvalidInput
from store.manifest import PROBE_TEXTS, Probe
from store.types import Json, Pair
from trainer.collate import Row, RowCollator, require_both_classes, rows_for, usable_pairs
from trainer.loss import ListwiseLoss, RowLoss, WeightedBinaryCrossEntropyLoss
from trainer.recipe import Recipe
from trainer.tables import one_table_a_step

LOG_ROWS = 200  # lines of the training log that are kept for the model card


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """One step as it happened. ``seconds_left`` is for this training alone."""

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    pairs_per_second: float
    seconds_left: float

    def as_json(self) -> Json:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a fine-tuning: its log, and probe pairs with the logits that the model in memory gave them."""

    log: TrainLog
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class TrainLog:
    """How a version came about: for the card and ``rankloop.json``."""

    rows: int
    """Rows an epoch: pairs or lists."""
    pairs: int
    pairs_without_text: int
    steps: int
    epochs: int
    seconds: float
    precision: str
    device: str
    loss_first: float
    """Mean loss of the first tenth of the steps."""
    loss_last: float
    table: tuple[TrainProgress, ...]

    @property
    def seconds_per_step(self) -> float:
        return self.seconds / max(1, self.steps)

    def summary(self) -> Json:
        """Everything but the table."""
        return {key: value for key, value in asdict(self).items() if key != "table"}


def finetune(
    base: Path,
    pairs: Sequence[Pair],
    texts: Mapping[str, str],
    recipe: Recipe,
    out: Path,
    *,
    seed: int,
    lexical: float,
    imported: bool = False,
    report: Callable[[TrainProgress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train a copy of ``base`` on ``pairs`` and save it to ``out``; the same input and seed give the same weights.

    ``texts`` maps content hash to text; ``lexical`` is the weight of ``lexical_score`` in the first stage's fusion.
    Raises InvalidInput when there is nothing to learn from (one class only), Cancelled within a step of being asked.
    """
    usable, without_text = usable_pairs(pairs, texts)
    epochs = recipe.epochs_for(imported)
    rows = rows_for(recipe, usable, texts, lexical, epochs, seed)
    _check(usable, rows[0], recipe)
    _seed_all(seed)
    model = CrossEncoder(str(base), device=_device(), local_files_only=True)
    bf16 = _use_bf16(recipe.precision)
    steps = recipe.steps(len(rows[0]), imported)
    watch = _Watch(steps, [len(row.passages) for row in rows[0]], recipe.batch, report, cancelled)
    began = time.monotonic()
    data = _in_order(rows, steps * recipe.batch, seed)
    collator = RowCollator(model, (row for epoch in rows for row in epoch))
    _train(model, data, collator, recipe, _loss(recipe, model, bf16), steps, seed, watch)
    model.save_pretrained(str(out), create_model_card=False)
    losses = [line.loss for line in watch.lines]
    tenth = max(1, len(losses) // 10)
    log = TrainLog(
        rows=len(rows[0]),
        pairs=sum(len(row.passages) for row in rows[0]),
        pairs_without_text=without_text,
        steps=steps,
        epochs=epochs,
        seconds=time.monotonic() - began,
        precision="bf16" if bf16 else "fp32",
        device=str(model.device),
        loss_first=float(np.mean(losses[:tenth])),
        loss_last=float(np.mean(losses[-tenth:])),
        table=tuple(watch.lines[:: max(1, len(watch.lines) // LOG_ROWS)]),
    )
    return Trained(log, probes_of(model))


def probes_of(model: CrossEncoder) -> tuple[Probe, ...]:
    """The default probes with the logits of the model in memory."""
    pairs = list(PROBE_TEXTS)
    scores = model.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)
    return tuple(Probe(query, passage, float(score)) for (query, passage), score in zip(pairs, scores, strict=True))


def _check(pairs: Sequence[Pair], rows: Sequence[Row], recipe: Recipe) -> None:
    require_both_classes(pairs)
    if not rows:
        raise InvalidInput(
            f"the {recipe.name!r} recipe needs queries with a positive and a negative, and there is none; "
            "rate more, or train with the recipe 'seed'"
        )


def _seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # the libraries draw from it
    torch.manual_seed(seed)


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _use_bf16(precision: str) -> bool:
    if precision == "auto":
        native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        return torch.cuda.is_available() or bool(native)
    return precision == "bf16"


def _loss(recipe: Recipe, model: CrossEncoder, bf16: bool) -> RowLoss:
    return ListwiseLoss(model, bf16) if recipe.loss == "listwise" else WeightedBinaryCrossEntropyLoss(model, bf16)


def _in_order(epochs: Sequence[Sequence[Row]], needed: int, seed: int) -> Dataset:
    """The rows of all epochs in the order in which they are trained on, each epoch shuffled for itself."""
    rng = np.random.default_rng(seed)
    rows = [rows[at] for rows in epochs for at in rng.permutation(len(rows)).tolist()]
    return Dataset.from_list([row.as_json() for row in rows[:needed]])


class _Trainer(CrossEncoderTrainer):
    """The library's trainer without its own model card: ``trainer.card`` writes ours."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        pass


def _train(
    model: CrossEncoder,
    rows: Dataset,
    collator: RowCollator,
    recipe: Recipe,
    loss: RowLoss,
    steps: int,
    seed: int,
    watch: _Watch,
) -> None:
    quiet()
    with tempfile.TemporaryDirectory(prefix="rankloop-train-") as scratch:
        arguments = CrossEncoderTrainingArguments(
            output_dir=scratch,
            per_device_train_batch_size=recipe.batch,
            learning_rate=recipe.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=round(recipe.warmup * steps),
            weight_decay=recipe.weight_decay,
            max_grad_norm=recipe.max_grad_norm,
            max_steps=steps,
            seed=seed,
            batch_sampler=_sequential,
            use_cpu=model.device.type == "cpu",
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = _Trainer(
            model=model,
            args=arguments,
            train_dataset=rows,
            loss=loss,
            data_collator=collator,
            callbacks=[watch],
        )
        trainer.pop_callback(_printer(trainer))
        with one_table_a_step(model):
            trainer.train()


def quiet() -> None:
    """Keep the libraries' own logging and progress bars off the terminal: progress is reported as job events."""
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    disable_progress_bars()


def _printer(trainer: CrossEncoderTrainer) -> type[TrainerCallback]:
    return next(type(each) for each in trainer.callback_handler.callbacks if type(each).__name__ == "PrinterCallback")


def _sequential(dataset: Dataset, batch_size: int, drop_last: bool, **_: Any) -> DefaultBatchSampler:
    return DefaultBatchSampler(SequentialSampler(dataset), batch_size=batch_size, drop_last=drop_last)


class _Watch(TrainerCallback):
    """Turns the trainer's log into progress, and a wish to stop into Cancelled."""

    def __init__(
        self,
        steps: int,
        passages: Sequence[int],
        batch: int,
        report: Callable[[TrainProgress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.lines: list[TrainProgress] = []
        self._steps = steps
        self._rows = len(passages)
        self._batch = batch
        self._pairs_a_step = batch * sum(passages) / len(passages)
        self._report = report
        self._cancelled = cancelled
        self._began = time.monotonic()

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self._began = time.monotonic()

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        if self._cancelled():
            raise Cancelled("training was asked to stop")

    def on_log(self, *_: Any, logs: Mapping[str, float] | None = None, **__: Any) -> None:
        if logs is None or "loss" not in logs:
            return
        step = len(self.lines) + 1
        elapsed = max(time.monotonic() - self._began, 1e-9)
        line = TrainProgress(
            step=step,
            steps=self._steps,
            epoch=round(step * self._batch / self._rows, 3),
            loss=float(logs["loss"]),
            learning_rate=float(logs.get("learning_rate", 0.0)),
            pairs_per_second=step * self._pairs_a_step / elapsed,
            seconds_left=(self._steps - step) * elapsed / step,
        )
        self.lines.append(line)
        self._report(line)
