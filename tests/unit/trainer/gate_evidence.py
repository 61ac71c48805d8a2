"""Evidence for the gate, made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trainer.gate import Arms, Evidence, GatePolicy

FAST = GatePolicy(rounds=1_000)


def scores(values: np.ndarray, first: int = 0) -> dict[int, float]:
    return {first + number: float(value) for number, value in enumerate(np.clip(values, 0, 1))}


def arms(groups: int, gain: float, first: int = 0, sd: float = 0.05, seed: int = 0, base_gain: float = 0.0) -> Arms:
    """Champion scores around 0.5; the challenger's differ by exactly ``gain`` on average."""
    rng = np.random.default_rng(seed)
    champion = 0.5 + rng.uniform(-0.2, 0.2, groups)
    noise = rng.normal(0, sd, groups)
    challenger = champion + gain + noise - noise.mean()
    base = champion + base_gain
    return Arms(scores(challenger, first), scores(champion, first), scores(base, first), scores(champion, first))


def evidence(gain: float = 0.03, held_out_gain: float | None = None, **changes: object) -> Evidence:
    made = Evidence(
        held_out=arms(40, gain if held_out_gain is None else held_out_gain, seed=1),
        out_of_fold=arms(160, gain, first=1000, seed=2),
        golden=arms(60, 0.0, seed=3),
        general=arms(60, 0.0, seed=4),
        latency_ms=200.0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def text(found: object) -> str:
    return " ".join(found.reasons)  # type: ignore[attr-defined]
