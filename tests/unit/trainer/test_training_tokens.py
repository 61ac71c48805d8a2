"""Tokens made once, and the loss of training with them: that of the plain trainer on the same pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from datasets import Dataset  # type: ignore[import-untyped]
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

from store.types import Pair, PairSource
from tests import tiny
from trainer.finetune import TrainLog, finetune
from trainer.recipe import SEED, Recipe
from trainer.tables import one_table_a_step
from trainer.tokens import Tokens

EXACT = replace(SEED, precision="fp32")
PAIRS = [
    ("how to read a file", "def read(path): return path"),
    ("sort", "def sort(names):\n    return sorted(names)\n" * 9),
    ("where is the config", "x"),
    ("parse the json value " * 40, "import json " * 80),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without dropout, so that two trainings can be compared step by step."""
    directory = tiny.pooled_cross_encoder(tmp_path_factory.mktemp("models") / "tiny", max_length=64)
    config = directory / "config.json"
    config.write_text(config.read_text().replace('dropout_prob": 0.1', 'dropout_prob": 0.0'))
    return directory


def test_tokens_are_those_of_the_library_without_padding(base: Path) -> None:
    model = CrossEncoder(str(base), device="cpu", local_files_only=True)
    tokens = Tokens(model, [*PAIRS, *PAIRS])
    for pair in PAIRS:
        alone = model.preprocess([pair])
        assert tokens.length(pair) == alone["input_ids"].shape[1] <= 64
    made, plain = tokens.batch(PAIRS), model.preprocess(list(PAIRS))
    assert made.keys() == plain.keys()
    for name, value in plain.items():
        assert torch.equal(made[name], value) if isinstance(value, torch.Tensor) else made[name] == value
    assert tokens.batch([PAIRS[2], PAIRS[0]])["input_ids"].shape[1] == tokens.length(PAIRS[0])


def labelled(count: int) -> list[tuple[str, str, float]]:
    """Learnable at sight: right passages sort. Lengths vary sevenfold."""
    made = []
    for n in range(count):
        right = n % 3 == 0
        passage = f"{'sort' if right else 'delete'} value " * (1 + n % 7) + f"number {n}"
        made.append((f"how to get number {n}", passage, float(right)))
    return made


def plain_losses(base: Path, rows: Sequence[tuple[str, str, float]], recipe: Recipe, out: Path) -> list[float]:
    """``CrossEncoderTrainer`` as in the seed recipe, on the rows in this order."""
    model = CrossEncoder(str(base), device="cpu", local_files_only=True)
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=recipe.batch,
        learning_rate=recipe.learning_rate,
        max_steps=len(rows) // recipe.batch,
        use_cpu=True,
        dataloader_pin_memory=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    columns = {"query": [r[0] for r in rows], "passage": [r[1] for r in rows], "label": [r[2] for r in rows]}
    trainer = CrossEncoderTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_dict(columns), loss=BinaryCrossEntropyLoss(model)
    )
    trainer.train()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


def tuned(base: Path, rows: Sequence[tuple[str, str, float]], recipe: Recipe, out: Path) -> TrainLog:
    pairs = [Pair(n, q, p, label, 1.0, PairSource.CHUNK_VOTE) for n, (q, p, label) in enumerate(rows)]
    return finetune(base, pairs, {p: p for _, p, _ in rows}, recipe, out, seed=1, lexical=0.1).log


def test_our_training_reaches_the_plain_trainers_loss(base: Path, tmp_path: Path) -> None:
    """Other order of the pairs, same mean loss of the last tenth within noise, and it has learned something."""
    rows = labelled(640)
    recipe = Recipe("seed", "bce", 16, 1e-3, 1, 1)
    log = tuned(base, rows, recipe, tmp_path / "out")
    plain = plain_losses(base, rows, recipe, tmp_path / "plain")
    tail = plain[-max(1, len(plain) // 10) :]
    assert log.steps == len(plain)
    assert log.loss_last == pytest.approx(sum(tail) / len(tail), abs=0.15)
    assert log.loss_last < log.loss_first - 0.1


def test_the_first_steps_loss_is_exactly_the_plain_trainers(base: Path, tmp_path: Path) -> None:
    """With one batch there is no order and no noise: only how the batch is cut and padded differs."""
    rows = labelled(16)
    log = tuned(base, rows, EXACT, tmp_path / "out")
    assert log.loss_first == pytest.approx(plain_losses(base, rows, EXACT, tmp_path / "plain")[0], abs=1e-4)


def test_one_gradient_of_the_embedding_table_a_step_is_the_sum_of_all(base: Path) -> None:
    model = CrossEncoder(str(base), device="cpu", local_files_only=True)
    tokens = Tokens(model, PAIRS)
    table: torch.nn.Parameter = model.model.get_input_embeddings().weight

    def gradient() -> torch.Tensor:
        model.zero_grad()
        parts = [model(tokens.batch([pair]))["scores"].sum() for pair in PAIRS]
        torch.autograd.backward(torch.stack(parts).sum())
        assert table.grad is not None
        return table.grad

    each = gradient()
    assert each.abs().sum() > 0
    with one_table_a_step(model):
        once = gradient()
    assert not once.is_sparse
    torch.testing.assert_close(once, each, rtol=1e-5, atol=1e-7)
    assert not model.model.get_input_embeddings().sparse, "and the table is left as it was"
