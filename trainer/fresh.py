"""Judgments kept fresh between jobs, so that the admin page and receipts show them soon after a rating."""

from __future__ import annotations

import time

from store import golden as golden_store
from store import impressions, judgments, marks, signals
from trainer import golden
from trainer.dataset import POLICIES, DatasetPolicy
from trainer.grouping import group_queries
from trainer.history import logged_lists, whereabouts
from trainer.judgments import judge
from trainer.pipeline import Trainer

QUIET_SECONDS = 3.0
"""At most this often: judging reads every signal."""


class Freshness:
    """Remembers what the judgments were last made from."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._seen: marks.Mark | None = None
        self._looked = -QUIET_SECONDS

    def refresh(self) -> bool:
        """Rewrite the judgments if a signal, an override or a golden question is new; whether it did."""
        if time.monotonic() - self._looked < QUIET_SECONDS:
            return False
        self._looked = time.monotonic()
        with self._trainer.db.read() as tx:
            mark = marks.judging(tx)
        if mark == self._seen:
            return False
        if any(mark):
            rejudge(self._trainer)
        self._seen = mark
        return True


def rejudge(trainer: Trainer) -> None:
    """Make the judgments anew from everything in force, as the dataset stage does, without mining a snapshot."""
    db, encoder = trainer.db, trainer.encoder()
    policy = POLICIES.get(trainer.settings.recipe, DatasetPolicy()).judge
    with db.read() as tx:
        said = signals.in_force(tx)
        rated = impressions.for_answers(tx, sorted({signal.answer_id for signal in said}))
        questions = golden_store.list_all(tx)
    asked = sorted(rated.values(), key=lambda one: (one.created_at, one.answer_id))
    queries = [*(one.query for one in asked), *(question.query for question in questions)]
    places = group_queries(db, encoder, queries, trainer.clock()).places
    with db.read() as tx:
        lists = logged_lists(tx, places)
        ids = {signal.chunk_id for signal in said if signal.chunk_id is not None}
        ids |= {row.chunk_id for one in (*rated.values(), *lists.best.values()) for row in one.rows}
        known = whereabouts(tx, encoder.name, ids)
        also, _ = golden.evidence(tx, questions, places, policy)
        overrides = judgments.overrides(tx)
        accounts = signals.accounts(tx)
    made = judge(said, rated, places, overrides, known, policy, accounts, also)
    with db.write() as tx:
        judgments.replace_all(tx, made)
