"""The predecessor's recipe: rank 1 of a liked answer is right, whatever it is, and the next four shown are wrong."""

from __future__ import annotations

from dataclasses import replace

from store import impressions, queries, signals
from store.database import Database
from store.types import Impression, Pair, PairSource, SignalKind
from trainer import fit_blend
from trainer.fit_blend import MIN_QUERIES, Dev, surprise
from trainer.recipe import SEED

PREDECESSOR = replace(SEED, name="predecessor", epochs=2)
"""Binary cross-entropy, 2 epochs; batch and learning rate are the seed recipe's."""
SHOWN_NEGATIVE = 4
WEIGHTS = (*fit_blend.WEIGHTS, 4.0, 8.0, 16.0)
"""The product's grid goes to 2, where this recipe's small logits took the last one: here the choice is inside."""


def fit_weight(dev: Dev, unproven: float) -> float:
    """As the product fits it for logits of no known scale, from the longer grid."""
    if len(dev.queries) < MIN_QUERIES:
        return unproven
    return min(sorted(WEIGHTS), key=lambda weight: round(surprise(dev, weight), 9))


def liked_pairs(db: Database) -> list[Pair]:
    """Thumbs up (or 4 and 5 stars): rank 1 is the positive, whatever it is, the next four shown are negatives."""
    with db.read() as tx:
        said = signals.in_force(tx)
        rated = impressions.for_answers(tx, sorted({signal.answer_id for signal in said}))
        groups = queries.group_of(tx)
    liked = {
        signal.answer_id
        for signal in said
        if (signal.kind is SignalKind.THUMB and signal.value == "up")
        or (signal.kind is SignalKind.STARS and int(signal.value) >= 4)
    }
    return [
        pair
        for answer_id in sorted(liked)
        for pair in predecessor_pairs(rated[answer_id], groups[queries.normalise(rated[answer_id].query)][0])
    ]


def predecessor_pairs(impression: Impression, group_id: int) -> list[Pair]:
    """The pairs that the predecessor made of one liked answer."""
    shown = sorted((row for row in impression.rows if row.shown), key=lambda row: row.rank)
    return [
        Pair(
            group_id=group_id,
            query=impression.query,
            content_hash=row.content_hash,
            label=1.0 if place == 0 else 0.0,
            weight=1.0,
            source=PairSource.THUMB,
            dense_score=row.dense_score,
            lexical_score=row.lexical_score,
        )
        for place, row in enumerate(shown[: 1 + SHOWN_NEGATIVE])
    ]
