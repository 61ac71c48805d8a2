"""What the gate goes by, and what it decides."""

from __future__ import annotations

from dataclasses import dataclass

from store.types import Decision, Json
from trainer.second_opinions import FEWEST


@dataclass(frozen=True, slots=True)
class GatePolicy:
    alpha: float = 0.05
    power: float = 0.8
    min_groups: int = 50
    min_held_out: int = 10
    min_opinions: int = FEWEST
    """Fewer second opinions count for nothing."""
    below_unseen: float = 0.0
    """Behind the champion on questions not trained on, where second opinions count."""
    below_champion: float = 0.01
    below_base: float = 0.005
    below_guard: float = 0.02
    guard_size: int = 50
    """Guard sets smaller than this only warn."""
    latency_budget_ms: float = 5_000.0
    worthwhile: float = 0.01
    """The smallest gain that an estimate of further judged queries is made for."""
    rounds: int = 10_000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class GateResult:
    """``reasons``: sentences, the deciding ones first. ``numbers``: all figures behind them."""

    decision: Decision
    reasons: tuple[str, ...]
    numbers: Json


def could_promote(numbers: Json, policy: GatePolicy | None = None) -> bool:
    """Whether the gate that left these numbers had questions enough to promote: then it was a trial of its champion.

    Numbers of earlier releases don't say so, but hold the counts. Those that hold none count as a trial: too many
    trials make a proof harder, too few would make it too easy.
    """
    rules = policy or GatePolicy()
    groups, held_out = numbers.get("groups"), numbers.get("held_out_groups")
    enough = groups is None or held_out is None or (groups >= rules.min_groups and held_out >= rules.min_held_out)
    return bool(numbers.get("could_promote", enough))
