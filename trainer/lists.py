"""Evaluation lists: what the gate scores, one a query group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from store.types import EvalQuery, Impression, Judgment, Split
from trainer.evidence import Known
from trainer.judgments import is_truth


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Lists by side, and the groups that can't decide anything, by reason."""

    train: tuple[EvalQuery, ...]
    held_out: tuple[EvalQuery, ...]
    undecided: Mapping[str, tuple[int, ...]]


def truth(judgments: Iterable[Judgment]) -> dict[int, dict[str, float]]:
    """Group → text → grade, of strong judgments. What most hold to be irrelevant has grade 0."""
    grades: dict[int, dict[str, float]] = defaultdict(dict)
    for judgment in judgments:
        if is_truth(judgment):
            grade = judgment.relevance if judgment.relevance > 0.5 else 0.0
            grades[judgment.group_id][judgment.content_hash] = grade
    return dict(grades)


def evaluation(
    judgments: Iterable[Judgment], lists: Mapping[int, Impression], splits: Mapping[int, Split], known: Known
) -> Evaluation:
    """The groups that can be scored: with a full list and a positive in it. The positive is never put in."""
    made: dict[Split, list[EvalQuery]] = {Split.TRAIN: [], Split.HELD_OUT: []}
    undecided: dict[str, list[int]] = defaultdict(list)
    for group, grades in sorted(truth(judgments).items()):
        if not any(grade > 0 for grade in grades.values()):
            undecided["no positive judgment"].append(group)
        elif group not in lists:
            undecided["no full candidate list"].append(group)
        else:
            query = eval_query(group, lists[group], splits[group], grades, known)
            if any(query.relevance.get(name, 0.0) > 0 for name in query.content_hashes):
                made[query.split].append(query)
            else:
                undecided["no positive among the candidates"].append(group)
    return Evaluation(
        tuple(made[Split.TRAIN]),
        tuple(made[Split.HELD_OUT]),
        {reason: tuple(groups) for reason, groups in sorted(undecided.items())},
    )


def eval_query(
    group: int, impression: Impression, split: Split, grades: Mapping[str, float], known: Known
) -> EvalQuery:
    """A logged list in first-stage order with its truth. A text that has since changed is judged as its successor."""
    rows = {row.content_hash: row for row in sorted(impression.rows, key=lambda row: -row.first_stage_rank)}
    ordered = sorted(rows.values(), key=lambda row: row.first_stage_rank)
    relevance = {}
    reached = set()
    for row in ordered:
        moved = known.followed.get(row.content_hash)
        now = row.content_hash if row.content_hash in grades or moved is None else moved.content_hash
        if now in grades and (now == row.content_hash or now not in rows):
            relevance[row.content_hash] = grades[now]
            reached.add(now)
    relevance.update({name: grade for name, grade in grades.items() if name not in reached})
    return EvalQuery(
        group_id=group,
        query=impression.query,
        split=split,
        content_hashes=tuple(row.content_hash for row in ordered),
        dense_scores=tuple(row.dense_score for row in ordered),
        lexical_scores=tuple(row.lexical_score for row in ordered),
        relevance=relevance,
    )
