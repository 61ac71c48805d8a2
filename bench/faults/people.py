"""Who is there while processes are killed: a person who asks and rates without a pause, and an administrator."""

from __future__ import annotations

import random
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from bench.faults.world import World, questions
from rankloop.client import Client
from store.errors import Conflict, RankloopError

MOVES = ("promotions", "roll-backs")


@dataclass(slots=True, eq=False)
class Rater(threading.Thread):
    """Asks and rates without a pause. What the server has acknowledged is written down here, nowhere else.

    A rating that was not acknowledged is sent again until it is: it must then count once, not twice.
    """

    url: str
    world: World
    acknowledged: dict[tuple[str, str, int], bool] = field(default_factory=dict)
    """(answer, actor, chunk) → the vote."""
    ended: threading.Event = field(default_factory=threading.Event)
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    def run(self) -> None:
        for number, question in enumerate(questions(self.world, 11, 1_000_000)):
            if self.ended.is_set():
                return
            actor = f"person-{number % 7}"
            with Client(self.url, user=actor, timeout=30.0) as client:
                try:
                    answer = client.answer(question.query, top_k=8)
                except RankloopError:
                    self.ended.wait(0.2)
                    continue
                assert answer.answer_id is not None
                for source in answer.sources[:3]:
                    self._vote(client, answer.answer_id, actor, source.chunk_id, source.path in question.relevant)

    def _vote(self, client: Client, answer: str, actor: str, chunk: int, relevant: bool) -> None:
        while not self.ended.is_set():
            try:
                client.rate_chunk(answer, chunk, relevant)
            except RankloopError as error:
                self.refused[type(error).__name__] += 1
                self.ended.wait(0.1)
            else:
                self.acknowledged[answer, actor, chunk] = relevant
                return


@dataclass(slots=True, eq=False)
class Boss(threading.Thread):
    """Starts the nightly job whenever none is open, promotes any version and rolls back in turn."""

    token: Client
    rng: random.Random
    ended: threading.Event = field(default_factory=threading.Event)
    moves: Counter[str] = field(default_factory=Counter)
    """Promotions and roll-backs that the server has acknowledged."""

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    def run(self) -> None:
        while not self.ended.wait(self.rng.uniform(0.3, 1.5)):
            with suppress(RankloopError):  # one is open, or nobody is there
                self.token.start_job("nightly")
            with suppress(RankloopError):  # nobody is there
                self._move()

    def _move(self) -> None:
        known = [version.id for version in self.token.models().versions]
        try:
            if self.rng.random() < 0.5:
                self.token.promote(self.rng.choice(known), "bench", force=True)
                self.moves[MOVES[0]] += 1
            else:
                self.token.rollback("bench")
                self.moves[MOVES[1]] += 1
        except Conflict:
            pass  # it serves already, or there is nothing to go back to
