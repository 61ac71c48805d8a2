"""Judgments kept fresh between jobs, so that the admin page and receipts show them soon after a rating."""

from __future__ import annotations

import time

from store import judgments, marks
from trainer.dataset import policy_of
from trainer.judging import judge_all
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
    policy = policy_of(trainer.settings).judge
    judged = judge_all(trainer.db, trainer.encoder(), policy, trainer.clock(), "ratings")
    with trainer.db.write() as tx:
        judgments.replace_all(tx, judged.judgments)
