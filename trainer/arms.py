"""Evidence of the gate as values: the same questions scored by each arm, checked to be comparable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from store.errors import InvalidInput
from trainer.significance import FloatArray

Scores: TypeAlias = Mapping[int, float]
"""Query group → ndcg@10 in [0, 1]. Golden and general sets use any number a question as the key."""


@dataclass(frozen=True, slots=True)
class Arms:
    """One body of evidence: the same groups scored by each arm. ``rolled_back`` only where there was such a version."""

    challenger: Scores = field(default_factory=dict)
    champion: Scores = field(default_factory=dict)
    base: Scores = field(default_factory=dict)
    no_rerank: Scores = field(default_factory=dict)
    rolled_back: Scores | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the gate decides on."""

    held_out: Arms
    """The held-out fifth, scored by the exact artefact that would serve."""
    out_of_fold: Arms = field(default_factory=Arms)
    """All other strongly judged groups, each scored by a fold that never saw it."""
    opinions: Arms = field(default_factory=Arms)
    """Second opinions (``trainer.second_opinions``) that champion and challenger did not hear."""
    opinions_share: float = 0.0
    """Share of all that people ask which ``opinions`` stand for, in [0, 1]."""
    golden: Arms = field(default_factory=Arms)
    general: Arms = field(default_factory=Arms)
    """Guard sets: only challenger and champion are read."""
    imported: frozenset[int] = frozenset()
    """Groups whose lists are made of imported passages (``stats["imported_lists"]["groups"]``): left out."""
    trial: int = 1
    """This is the k-th challenger against this champion, counted from 1."""
    latency_ms: float | None = None
    """95th percentile of reranking one full list on the engine that will serve; None: not measured."""
    rolled_back_from: int | None = None
    """The version a person rolled back from, if any: the challenger must beat it too."""


ROUNDING = 1e-9
"""Means that differ by less are equal: a margin met exactly is met."""


def paired(a: Scores, b: Scores) -> tuple[FloatArray, FloatArray]:
    """Scores of the same groups in the same order. Raises InvalidInput where an arm lacks one, or for wrong values."""
    if a.keys() != b.keys():
        odd = sorted(a.keys() ^ b.keys())
        raise InvalidInput(f"the arms were scored on different questions, e.g. {odd[:5]} ({len(a)} and {len(b)})")
    keys = sorted(a)
    pair = np.array([a[key] for key in keys], dtype=np.float64), np.array([b[key] for key in keys], dtype=np.float64)
    for scores in pair:
        if scores.size == 0 or not np.isfinite(scores).all() or scores.min() < 0 or scores.max() > 1 + ROUNDING:
            raise InvalidInput("scores must be there, finite and within [0, 1]")
    return pair


def without(arms: Arms, left_out: frozenset[int], name: str) -> Arms:
    """The arms without some groups, checked to hold the same groups each."""
    every = [scores for scores in (arms.champion, arms.base, arms.no_rerank, arms.rolled_back) if scores is not None]
    for scores in every:
        if arms.challenger.keys() != scores.keys():
            odd = sorted(arms.challenger.keys() ^ scores.keys())
            raise InvalidInput(f"the {name} arms were scored on different questions, e.g. {odd[:5]}")

    def cut(scores: Scores) -> dict[int, float]:
        return {group: score for group, score in scores.items() if group not in left_out}

    rolled_back = cut(arms.rolled_back) if arms.rolled_back is not None else None
    return Arms(cut(arms.challenger), cut(arms.champion), cut(arms.base), cut(arms.no_rerank), rolled_back)


def pool(held_out: Arms, out_of_fold: Arms) -> Arms:
    """Both bodies of evidence as one. Raises InvalidInput where a group is in both."""
    both = held_out.challenger.keys() & out_of_fold.challenger.keys()
    if both:
        raise InvalidInput(f"questions are both held out and out of fold: {sorted(both)[:5]}")
    first, second = held_out.rolled_back, out_of_fold.rolled_back
    complete = first is not None and (second is not None or not out_of_fold.challenger)
    return Arms(
        {**held_out.challenger, **out_of_fold.challenger},
        {**held_out.champion, **out_of_fold.champion},
        {**held_out.base, **out_of_fold.base},
        {**held_out.no_rerank, **out_of_fold.no_rerank},
        {**(first or {}), **(second or {})} if complete else None,
    )
