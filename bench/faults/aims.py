"""Where in a night a kill is to strike: wait until a live trainer is there, then for a random part of that stage."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from bench.faults.site import Site, wait_for
from trainer.worker import is_dead

FIRST = "dataset"
ANYWHERE, NIGHT_OVER = "anywhere", "night over"
CYCLE = (
    *("finetune", "publish", "evaluate", NIGHT_OVER),
    *("dataset", "out_of_fold", "publish", NIGHT_OVER),
    *(ANYWHERE, "finetune", "out_of_fold", NIGHT_OVER),
)
"""A job whose trainer has died three times is failed. Of three kills in a row one strikes the server alone, so that
after them a night can be let through."""
MUST_STRIKE = ("finetune", "out_of_fold", "evaluate", "publish")
AIM_S = 120.0
"""So long a stage is waited for; then the kill comes wherever the job is."""
SPAN_S = 8.0
WORKING = 0.8
"""Share of the kills without an aim that let the trainer start first; the others strike its start."""
OVER_S = 0.3
"""Most time between a night's end and its kill: later it would cost the next night an attempt."""
WITHIN = 0.8
"""Share of a stage's usual length in which it is struck: with features kept from the night before, some take 0.2 s."""
LOOK_S = 0.03
UNKNOWN_S = 1.0
"""A stage is taken to last so long until one has come to its end."""


@dataclass(slots=True)
class Aim:
    """Takes its time with each point of ``CYCLE``; ``missed`` counts stages that nobody came to in time."""

    served: Site
    rng: random.Random
    missed: list[str] = field(default_factory=list)

    def take(self, point: int) -> None:
        """Return at the moment to kill."""
        wanted = CYCLE[point % len(CYCLE)]
        if wanted == ANYWHERE:
            if self.rng.random() < WORKING:
                self.served.wait_for_trainer()
            time.sleep(self.rng.uniform(0.2, SPAN_S))
        elif wanted == NIGHT_OVER:
            before = self._ended()
            self._waited(wanted, wait_for(lambda: self._ended() > before, AIM_S, LOOK_S))
            time.sleep(self.rng.uniform(0.0, OVER_S))
        else:
            self._waited(wanted, wait_for(lambda: self._at_work(wanted), AIM_S, LOOK_S))
            time.sleep(self.rng.uniform(0.0, WITHIN * self.length(wanted)))

    def length(self, stage: str) -> float:
        """Seconds that the stage takes when nobody strikes it: the median so far."""
        statement = (
            "SELECT job_id, type, json_extract(data, '$.stage'), at FROM job_events"
            " WHERE type IN ('stage', 'end') ORDER BY job_id, id"
        )
        events = self.served.rows(statement)
        lengths = [
            (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()
            for (job, _, name, begun), (same, _, following, ended) in pairwise(events)
            if name == stage and job == same and following != FIRST  # else it was struck, and the night began anew
        ]
        return statistics.median(lengths or [UNKNOWN_S])

    def _waited(self, wanted: str, came: bool | None) -> None:
        if not came:
            self.missed.append(wanted)

    def _at_work(self, stage: str) -> bool:
        rows = self.served.rows("SELECT owner FROM jobs WHERE state = 'running' AND stage = ?", stage)
        return any(not is_dead(owner) for (owner,) in rows)

    def _ended(self) -> int:
        return int(self.served.rows("SELECT count(*) FROM jobs WHERE kind = 'nightly' AND state = 'succeeded'")[0][0])
