"""Named recipes: every number that decides how a cross-encoder is trained. Frozen: a snapshot records one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Literal

from store.errors import InvalidInput
from store.types import Json

MAX_STEPS = 4000


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. A *row* is one pair for ``bce`` and the list of one query for ``listwise``."""

    name: str
    loss: Literal["bce", "listwise"]
    batch: int
    """Rows a step."""
    learning_rate: float
    epochs: int
    """Passes over mined pairs."""
    epochs_imported: int
    """Passes over an imported pair file."""
    warmup: float = 0.0
    """Share of the steps in which the learning rate rises from 0; it falls linearly to 0 afterwards."""
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    prior_scale: float = 20.0
    """Logits that one unit of ``fused_score`` is worth: the first-stage prior is ``prior_scale * fused_score``."""
    negatives: int = 8
    """Negatives that stand in a list (``listwise``): each epoch draws its own from those that were mined."""
    max_steps: int = MAX_STEPS
    """Budget: training never takes more steps, however much there is to train on."""
    precision: Literal["fp32", "bf16", "auto"] = "fp32"
    """``auto`` uses bfloat16 autocast where the processor multiplies bfloat16 natively."""
    unproven_weight: float = 0.5
    """Weight of ``rerank_score`` where no query is there to fit it on."""

    def epochs_for(self, imported: bool) -> int:
        return self.epochs_imported if imported else self.epochs

    def steps(self, rows: int, imported: bool = False) -> int:
        """Optimiser steps for ``rows`` rows an epoch, cut by the budget (an imported file is read to its end)."""
        wanted = ceil(rows * self.epochs_for(imported) / self.batch)
        return wanted if imported and self.max_steps >= MAX_STEPS else min(wanted, self.max_steps)

    def as_json(self) -> Json:
        return asdict(self)


SEED = Recipe(
    name="seed",
    loss="bce",
    batch=16,
    learning_rate=5e-5,
    epochs=1,
    epochs_imported=3,
)
"""The recipe the loop began with: the library's binary cross-entropy and its defaults."""

DEFAULT = Recipe(
    name="default",
    loss="listwise",
    batch=8,
    learning_rate=5e-5,
    epochs=2,
    epochs_imported=3,
    warmup=0.1,
    weight_decay=0.01,
    precision="auto",
)
"""What measures best: listwise softmax cross-entropy with the first-stage prior inside."""

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (SEED, DEFAULT)}


def recipe_named(name: str, max_steps: int | None = None) -> Recipe:
    """Look a recipe up, with a smaller step budget if one is asked for.

    Raises InvalidInput for an unknown name or a budget below one step.
    """
    if name not in RECIPES:
        raise InvalidInput(f"unknown recipe {name!r}; there are: {', '.join(sorted(RECIPES))}")
    if max_steps is None:
        return RECIPES[name]
    if max_steps < 1:
        raise InvalidInput(f"max_steps must be at least 1, got {max_steps}")
    return replace(RECIPES[name], max_steps=min(max_steps, RECIPES[name].max_steps))
