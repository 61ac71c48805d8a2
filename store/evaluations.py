"""Per-query evaluation results of each version: what the gate saw, and what a comparison shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from store.tables import evaluations
from store.types import Json


@dataclass(frozen=True, slots=True)
class EvalRow:
    """One arm's result on one query group.

    ``arm``: no_rerank, base, champion or challenger; ``evidence``: held_out, out_of_fold,
    second_opinions, golden, general or imported; ``metrics`` by name ("ndcg@10"); ``ranking``: content hashes of the
    best ten.
    """

    arm: str
    evidence: str
    group_id: int
    query: str
    metrics: Mapping[str, float]
    ranking: tuple[str, ...]


def save(tx: Connection, version_id: int, rows: Sequence[EvalRow]) -> None:
    """Store a version's results in place of every earlier one, whatever its arm, on the bodies of evidence written.

    Arms stand beside each other only where they ranked the same lists.
    """
    written = {row.evidence for row in rows}
    tx.execute(delete(evaluations).where(evaluations.c.version_id == version_id, evaluations.c.evidence.in_(written)))
    if rows:
        tx.execute(insert(evaluations), [_values(version_id, row) for row in rows])


def load(tx: Connection, version_id: int, arm: str | None = None, evidence: str | None = None) -> list[EvalRow]:
    """A version's results in the order saved; of one arm or evidence where given."""
    query = select(evaluations).where(evaluations.c.version_id == version_id).order_by(evaluations.c.id)
    if arm is not None:
        query = query.where(evaluations.c.arm == arm)
    if evidence is not None:
        query = query.where(evaluations.c.evidence == evidence)
    return [
        EvalRow(row.arm, row.evidence, row.group_id, row.query, row.metrics, tuple(row.ranking))
        for row in tx.execute(query)
    ]


def _values(version_id: int, row: EvalRow) -> Json:
    return {
        "version_id": version_id,
        "arm": row.arm,
        "evidence": row.evidence,
        "group_id": row.group_id,
        "query": row.query,
        "metrics": dict(row.metrics),
        "ranking": list(row.ranking),
    }
