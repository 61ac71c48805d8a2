"""Two versions compared on the queries that both ranked. Pure.

The interval is the percentile bootstrap of the mean paired difference (Efron, 1979); p is the two-sided paired
randomisation test, which flips the sign of each query's difference (Smucker, Allan and Carterette, CIKM 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from store.evaluations import EvalRow
from store.types import FIRST_STAGE_VERSION, SECOND_OPINIONS, Version

ROUNDS = 2000
SEED = 20
HEADLINE = "ndcg@10"
ROUNDING = 1e-9
_BLOCK = 250
_GUARDS = ("golden", "general")


@dataclass(frozen=True, slots=True)
class Paired:
    """One query as both versions ranked it."""

    a: EvalRow
    b: EvalRow

    def difference(self, metric: str) -> float:
        """b - a."""
        return self.b.metrics[metric] - self.a.metrics[metric]


@dataclass(frozen=True, slots=True)
class MetricDifference:
    metric: str
    evidence: str
    queries: int
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float


def pair(a: Version, b: Version, rows_a: Sequence[EvalRow], rows_b: Sequence[EvalRow]) -> list[Paired]:
    """The queries that both were measured on, under the same conditions where that is possible.

    An evaluation measures the version (arm challenger) beside its parent, the champion of the time (arm champion),
    and beside no reranking, which is version 0. Where one version's evaluation holds the other too, only that one is
    used; else each version's own, joined by evidence and question. Second opinions are those of other people in another
    evaluation, so there they are not joined.
    """
    bodies = dict.fromkeys(row.evidence for row in (*rows_a, *rows_b))
    return [one for body in bodies for one in _pair(a, b, _body(rows_a, body), _body(rows_b, body))]


def _pair(a: Version, b: Version, rows_a: Sequence[EvalRow], rows_b: Sequence[EvalRow]) -> list[Paired]:
    for whole, other, swapped in ((rows_b, a, False), (rows_a, b, True)):
        owner = a if swapped else b
        arm = _arm_of(other, owner)
        if arm is not None and any(row.arm == arm for row in whole):
            mine, theirs = _of(whole, "challenger"), _of(whole, arm)
            return _join(mine, theirs) if swapped else _join(theirs, mine)
    if any(row.evidence == SECOND_OPINIONS for row in (*rows_a, *rows_b)):
        return []
    return _join(_of(rows_a, "challenger"), _of(rows_b, "challenger"))


def metric_rows(pairs: Sequence[Paired]) -> list[MetricDifference]:
    """One row a metric and evidence."""
    found: list[MetricDifference] = []
    for evidence in dict.fromkeys(one.a.evidence for one in pairs):
        members = [one for one in pairs if one.a.evidence == evidence]
        names = [n for n in members[0].a.metrics if all(n in m.a.metrics and n in m.b.metrics for m in members)]
        for name in names:
            differences = np.array([one.difference(name) for one in members])
            low, high = interval(differences)
            found.append(
                MetricDifference(
                    metric=name,
                    evidence=evidence,
                    queries=len(members),
                    a=float(np.mean([one.a.metrics[name] for one in members])),
                    b=float(np.mean([one.b.metrics[name] for one in members])),
                    difference=float(differences.mean()),
                    low=low,
                    high=high,
                    p=p_value(differences),
                )
            )
    return found


def changed(pairs: Sequence[Paired]) -> list[Paired]:
    """The queries whose headline metric differs, largest difference first."""
    differing = [one for one in pairs if abs(one.difference(HEADLINE)) > ROUNDING]
    return sorted(differing, key=lambda one: -abs(one.difference(HEADLINE)))


def interval(differences: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of resampled means."""
    rng = np.random.default_rng(SEED)
    means = [
        differences[rng.integers(0, len(differences), (_BLOCK, len(differences)))].mean(axis=1)
        for _ in range(ROUNDS // _BLOCK)
    ]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(low), float(high)


def p_value(differences: npt.NDArray[np.float64]) -> float:
    """Share of sign flips whose mean is as far from zero, the observed one counted in."""
    rng = np.random.default_rng(SEED)
    observed = abs(differences.mean())
    as_far = 0
    for _ in range(ROUNDS // _BLOCK):
        signs = rng.choice([-1.0, 1.0], (_BLOCK, len(differences)))
        as_far += int((np.abs((signs * differences).mean(axis=1)) >= observed - ROUNDING).sum())
    return (as_far + 1) / (ROUNDS + 1)


def _arm_of(other: Version, owner: Version) -> str | None:
    if other.id == FIRST_STAGE_VERSION:
        return "no_rerank"
    return "champion" if owner.parent_id == other.id else None


def _of(rows: Sequence[EvalRow], arm: str) -> list[EvalRow]:
    return [row for row in rows if row.arm == arm]


def _body(rows: Sequence[EvalRow], evidence: str) -> list[EvalRow]:
    return [row for row in rows if row.evidence == evidence]


def _join(a: Sequence[EvalRow], b: Sequence[EvalRow]) -> list[Paired]:
    by_key = {_key(row): row for row in b}
    return [Paired(row, by_key[_key(row)]) for row in a if _key(row) in by_key]


def _key(row: EvalRow) -> tuple[str, int, str]:
    """A query group keeps its id for ever; a guard question's id is taken again once the question is gone."""
    return row.evidence, row.group_id, row.query if row.evidence in _GUARDS else ""
