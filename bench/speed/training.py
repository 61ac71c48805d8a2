"""Training: our fine-tuning and our default recipe against ``CrossEncoderTrainer`` as in the seed recipe."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset  # type: ignore[import-untyped]
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
from torch.nn import Identity
from torch.nn.functional import binary_cross_entropy_with_logits

from bench.speed.timing import Pair as Timed
from bench.speed.timing import Row, row
from bench.speed.world import Speed, judged
from store.bases import RESIDUAL
from store.encoder import Encoder
from store.settings import Settings
from store.types import Pair, PairSource
from trainer.base import resolve_base
from trainer.features import FeatureStore
from trainer.finetune import finetune, quiet
from trainer.head import fit_head
from trainer.recipe import DEFAULT, SEED, Recipe

QUESTIONS = 32
"""Each with one right and three other candidates: the pairs that fine-tuning trains on."""
OTHERS = 3
EPOCHS = 3
"""With one the loss hardly leaves that of the untrained base, and "the same loss" says little."""
HEAD_QUESTIONS = 64
"""Whose lists the default recipe fits its head on."""
MOST_ROUNDS = 3


def measure(speed: Speed, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Each round: the plain trainer, ours in float32 and in bfloat16, then features and head, on the same pairs; whole
    calls, loading and saving included.

    Ratio: of pairs a second, each pair counted in every epoch. The losses are means of the last quarter of the steps;
    they differ by the order of the pairs and by dropout, so the plain trainer's spread over the rounds and the loss of
    the untrained base stand beside.
    """
    pairs, texts = training_pairs(speed)
    settings = Settings(data=speed.world.index)
    encoder = Encoder.load(settings.encoder)
    place = speed.world.root / "speed-training"
    base = resolve_base(RESIDUAL, encoder.name, encoder.model_path, place / "bases", settings.max_length).path
    ours: dict[str, Recipe] = {name: replace(SEED, precision=name, epochs=EPOCHS) for name in ("fp32", "bf16")}
    timed: dict[str, list[Timed]] = {name: [] for name in (*ours, "head")}
    losses: dict[str, list[float]] = {name: [] for name in ("plain", *ours)}
    untrained, passes, fitted_on = loss_of(base, pairs, texts), EPOCHS * len(pairs), 0
    for seed in range(min(rounds, MOST_ROUNDS)):
        say(f"training: round {seed + 1}, {len(pairs)} pairs")
        plain_s, loss = plain(base, pairs, texts, place / "plain", seed)
        losses["plain"].append(loss)
        for name, recipe in ours.items():
            out = place / name
            began = time.perf_counter()  # loading and saving counts on both sides
            trained = finetune(base, pairs, texts, recipe, out, seed=seed, lexical=settings.first_stage_lexical)
            timed[name].append(Timed(plain_s, time.perf_counter() - began))
            shutil.rmtree(out)
            losses[name].append(last_quarter([line.loss for line in trained.log.table]))
        head_s, fitted_on = head(speed, base, settings)
        timed["head"].append(Timed(plain_s / passes, head_s / fitted_on))
    spread = float(np.std(losses["plain"]))
    rows = [
        row(
            "training",
            f"fine-tuning, seed recipe, {name}, against CrossEncoderTrainer",
            timed[name],
            trained_on=len(pairs),
            epochs=EPOCHS,
            pairs_per_second=passes / float(np.median([one.ours for one in timed[name]])),
            loss=float(np.mean(losses[name])),
            loss_plain=float(np.mean(losses["plain"])),
            loss_plain_spread=spread,
            loss_untrained=untrained,
        )
        for name in ours
    ]
    pace = 1 / float(np.median([one.ours for one in timed["head"]]))
    what = "default recipe (features and head), seconds a pair"
    return [*rows, row("training", what, timed["head"], trained_on=fitted_on, pairs_per_second=pace)]


def training_pairs(speed: Speed) -> tuple[list[Pair], dict[str, str]]:
    """Pairs of questions whose right candidate was found, and their texts by content hash."""
    pairs: list[Pair] = []
    texts: dict[str, str] = {}
    for number, question in enumerate(speed.world.corpus.questions):
        found = speed.candidates(question.query)
        right = [one for one in found if one.chunk.path in question.relevant][:1]
        if not right or len(pairs) >= QUESTIONS * (1 + OTHERS):
            continue
        for one in [*right, *[other for other in found if other not in right][:OTHERS]]:
            label = float(one in right)
            texts[one.chunk.content_hash] = one.chunk.text
            pairs.append(Pair(number, question.query, one.chunk.content_hash, label, 1.0, PairSource.CHUNK_VOTE))
    return pairs, texts


def plain(base: Path, pairs: Sequence[Pair], texts: dict[str, str], out: Path, seed: int) -> tuple[float, float]:
    """Seconds and last loss of the library's trainer with the library's loss, as its own documentation shows it."""
    quiet()
    began = time.perf_counter()
    model = CrossEncoder(str(base), device="cpu", local_files_only=True)
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=SEED.batch,
        learning_rate=SEED.learning_rate,
        num_train_epochs=EPOCHS,
        seed=seed,
        use_cpu=True,
        dataloader_pin_memory=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    columns = {
        "query": [pair.query for pair in pairs],
        "passage": [texts[pair.content_hash] for pair in pairs],
        "label": [pair.label for pair in pairs],
    }
    loss = BinaryCrossEntropyLoss(model)
    trainer = CrossEncoderTrainer(model=model, args=arguments, train_dataset=Dataset.from_dict(columns), loss=loss)
    trainer.train()
    model.save_pretrained(str(out / "model"), create_model_card=False)
    seconds = time.perf_counter() - began
    shutil.rmtree(out, ignore_errors=True)
    return seconds, last_quarter([float(line["loss"]) for line in trainer.state.log_history if "loss" in line])


def loss_of(model: Path, pairs: Sequence[Pair], texts: dict[str, str]) -> float:
    """Mean binary cross-entropy of a model as it is, over the pairs."""
    scorer = CrossEncoder(str(model), device="cpu", local_files_only=True)
    asked = [(pair.query, texts[pair.content_hash]) for pair in pairs]
    logits = scorer.predict(asked, activation_fn=Identity(), convert_to_tensor=True, show_progress_bar=False)
    labels = torch.tensor([pair.label for pair in pairs])
    return float(binary_cross_entropy_with_logits(logits.float(), labels))


def last_quarter(losses: Sequence[float]) -> float:
    """Mean of the last quarter of the steps."""
    return float(np.mean(losses[-max(1, len(losses) // 4) :]))


def head(speed: Speed, base: Path, settings: Settings) -> tuple[float, int]:
    """Seconds of features and fit, and pairs, with nothing kept from before."""
    queries = [question.query for question in speed.world.corpus.questions[:HEAD_QUESTIONS]]
    lists = [one for number, query in enumerate(queries) if (one := judged(speed.world, number, query))]
    began = time.perf_counter()
    store = FeatureStore(base, settings.max_length, lambda: False)
    store.prepare(pair for one in lists for pair in one.pairs)
    fit_head(lists, lambda one: store.of(one.pairs), DEFAULT)
    return time.perf_counter() - began, sum(len(one.pairs) for one in lists)
