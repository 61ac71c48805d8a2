"""Requests that wait for the engine at the same time are scored in one pass: merged, sorted by length, split back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Condition, Event

from store.errors import Cancelled, RankloopError
from store.loading import LoadedVersion
from store.scorer import Logits

MOST_PAIRS = 64
"""Pairs in one pass, unless one request alone has more. Small requests fill the engine's micro-batches together;
merging full lists of 50 saved 3 % of the work and made people wait a fifth longer, each for all (docs/LOG.md)."""
_FAILURES = (RankloopError, RuntimeError, ValueError)
"""Of scoring: after one, each of the pass is scored for itself."""


@dataclass(slots=True, eq=False)
class _Waiting:
    loaded: LoadedVersion
    query: str
    texts: Sequence[str]
    given_up: Event
    logits: Logits | None = None
    alone: bool = False
    """It was in a pass that failed: whose fault that was shows when each is scored for itself."""


class Together:
    """A queue in front of the engine, without a thread of its own: whoever is first in it scores for those behind.

    A request is only merged with requests of the very same loaded version, so no pass mixes versions. Alone in the
    queue, a request is scored at once in its own thread. How many may wait is for the ``WorkPool`` to say.
    """

    def __init__(self, most_pairs: int = MOST_PAIRS) -> None:
        self._most_pairs = most_pairs
        self._queue: deque[_Waiting] = deque()
        self._busy = False
        self._turn = Condition()

    def logits(self, loaded: LoadedVersion, query: str, texts: Sequence[str], given_up: Event | None = None) -> Logits:
        """``rerank_score`` of each text for the query under ``loaded``, which reranks: shape ``(n,)``.

        Raises Cancelled where ``given_up`` was set before its turn, and whatever scoring raises.
        """
        mine = _Waiting(loaded, query, texts, given_up or Event())
        with self._turn:
            self._queue.append(mine)
        try:
            while batch := self._my_turn(mine):
                try:
                    _score(batch)
                except _FAILURES:
                    if len(batch) == 1:
                        raise
                finally:
                    self._settle(batch)
        finally:
            self._leave(mine)
        assert mine.logits is not None
        return mine.logits

    def waiting(self) -> int:
        """Requests in the queue."""
        with self._turn:
            return len(self._queue)

    def _my_turn(self, mine: _Waiting) -> list[_Waiting]:
        """Wait until ``mine`` is first: the requests to score, ``mine`` among them; none once another scored it."""
        with self._turn:
            while mine.logits is None and (self._busy or self._queue[0] is not mine):
                self._turn.wait()
            if mine.logits is not None:
                return []
            if mine.given_up.is_set():
                raise Cancelled("the question was given up before its turn")
            self._busy = True
            return self._take()

    def _take(self) -> list[_Waiting]:
        """The first in the queue and all that can go with it, in order."""
        first = self._queue.popleft()
        batch, stay, pairs = [first], deque[_Waiting](), len(first.texts)
        for other in self._queue:
            fits = pairs + len(other.texts) <= self._most_pairs
            if fits and other.loaded is first.loaded and not (first.alone or other.alone or other.given_up.is_set()):
                batch.append(other)
                pairs += len(other.texts)
            else:
                stay.append(other)
        self._queue = stay
        return batch

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        """Let the next one begin. Those of a pass that failed go back to the front, each for itself."""
        with self._turn:
            for one in reversed(batch):
                if one.logits is None:
                    one.alone = True
                    self._queue.appendleft(one)
            self._busy = False
            self._turn.notify_all()

    def _leave(self, mine: _Waiting) -> None:
        with self._turn:
            if mine in self._queue:
                self._queue.remove(mine)
                self._turn.notify_all()


def _score(batch: Sequence[_Waiting]) -> None:
    loaded = batch[0].loaded
    if len(batch) == 1:
        made = loaded.logits(batch[0].query, batch[0].texts)
        assert made is not None
        batch[0].logits = made
        return
    pairs = [[(one.query, text) for text in one.texts] for one in batch]
    places = {pair: place for place, pair in enumerate(dict.fromkeys(pair for own in pairs for pair in own))}
    scores = loaded.pair_logits(list(places))
    for one, own in zip(batch, pairs, strict=True):
        one.logits = scores[[places[pair] for pair in own]]
