"""What data sets hold, as people read it: pairs by question, and what was right when a version was measured.

A snapshot never changes and reading a large one takes seconds, so the last few that were looked at are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from store import snapshots
from store.database import Database
from store.types import SECOND_OPINIONS, Pair, PairSource

KEPT = 2
_MINED = (PairSource.HARD_NEGATIVE, PairSource.RANDOM_NEGATIVE, PairSource.REPLAY)
Truth = Mapping[int, Mapping[str, float]]
"""Query group → content hash → relevance of strong judgments."""


@dataclass(frozen=True, slots=True)
class DataSet:
    pairs: tuple[Pair, ...]
    """By question; the right ones of each first, then what was judged wrong, then what was mined."""
    truth: Truth
    second_opinions: Truth
    """What one more person said: the truth where a version's evidence is ``second_opinions``."""

    def truth_of(self, evidence: str) -> Truth:
        """What rankings of a body of evidence were measured by."""
        return self.second_opinions if evidence == SECOND_OPINIONS else self.truth


@dataclass(frozen=True, slots=True)
class PairFilter:
    """``search`` is a part of the query in any case.

    ``texts`` (content hashes) and ``questions`` are a repository's: a code question's passages are its code without
    documentation, which is no stored chunk, so such a pair is in the repository whose docstring asks it.
    """

    search: str | None = None
    source: PairSource | None = None
    relevant: bool | None = None
    texts: Collection[str] | None = None
    questions: Collection[str] = ()

    def lets(self, pair: Pair) -> bool:
        """Whether the pair passes every given filter."""
        return (
            (not self.search or self.search.lower() in pair.query.lower())
            and (self.source is None or pair.source is self.source)
            and (self.relevant is None or (pair.label > 0.5) is self.relevant)
            and (self.texts is None or self._in_repository(pair, self.texts))
        )

    def _in_repository(self, pair: Pair, texts: Collection[str]) -> bool:
        if pair.source is PairSource.CODE_QUESTION:
            return pair.query in self.questions
        return pair.content_hash in texts


class DataSets:
    """Reads snapshots. Safe to share between threads."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: OrderedDict[str, DataSet] = OrderedDict()
        self._turn = Lock()

    def get(self, snapshot_hash: str) -> DataSet:
        """Raises what ``snapshots.load`` raises."""
        with self._turn:
            found = self._kept.get(snapshot_hash) or self._read(snapshot_hash)
            self._kept[snapshot_hash] = found
            self._kept.move_to_end(snapshot_hash)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return found

    def _read(self, snapshot_hash: str) -> DataSet:
        with self._db.read() as tx:
            snapshot = snapshots.load(tx, snapshot_hash)
        truth = {one.group_id: one.relevance for one in (*snapshot.train_queries, *snapshot.held_out)}
        again = {one.query.group_id: one.query.relevance for one in snapshot.second_opinions}
        return DataSet(tuple(sorted(snapshot.pairs, key=_order)), truth, again)


def chosen(pairs: Sequence[Pair], wanted: PairFilter) -> list[Pair]:
    """The pairs that the filter lets through, in their order."""
    return [pair for pair in pairs if wanted.lets(pair)]


def _order(pair: Pair) -> tuple[str, int, float, bool, float, str]:
    return pair.query, pair.group_id, -pair.label, pair.source in _MINED, -pair.dense_score, pair.content_hash
