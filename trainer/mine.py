"""From judgments to training pairs: judged ones, hard negatives from the logged candidates, and random easy ones.

Too-hard negatives are often right answers, so candidates that look like one are left out: those that the base scores
above a share of the positive's score, near-duplicates of a positive, and other chunks of the same symbol. The share is
that of "positive-aware mining" (Moreira et al., "NV-Retriever", 2024: 95 % of the positive's score). What a weak signal
speaks against passes the same filter; what a person judged wrong does not need to.

A text whose judgment does not train (contradicted in equal measure, vetoed, bridged, retired) is in no pair of its
group: nobody knows whether it is right, so it is no negative either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np

from store.types import Impression, ImpressionRow, Judgment, Pair, PairSource, Signal, SignalKind, Split, Vector
from trainer.evidence import Known
from trainer.judgments import trains


@dataclass(frozen=True, slots=True)
class MinePolicy:
    hard: int = 24
    """Hard negatives a query, one from each of as many bands of rank, so that they spread over the depth."""
    random: int = 4
    """Easy negatives a query, from other queries' lists."""
    depth: int = 60
    """Deepest first-stage rank that a hard negative is taken from."""
    share: float = 0.95
    """A candidate whose base score is above this share of the best positive's is a likely false negative."""
    duplicate: float = 0.95
    """Cosine of two texts that are the same answer."""


@dataclass(frozen=True, slots=True)
class Passages:
    """What mining knows of texts beyond the lists, by content hash. Vectors are normalised, shape ``(d,)``."""

    vectors: Mapping[str, Vector]
    symbols: Mapping[str, str]
    queries: Mapping[int, Vector]
    """Group → embedding of the query its list was made for."""
    lexical: Mapping[tuple[int, str], float]
    """(group, text) → lexical score of a judged text that was no candidate."""
    lexical_weight: float = 0.1
    shown: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Group → texts that stood before somebody who named another one right."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Text in a list → what it has become since; judgments are about the latter."""

    def dense(self, group_id: int, content_hash: str) -> float:
        """Cosine of a group's query and a text, 0 where either has no vector."""
        query, text = self.queries.get(group_id), self.vectors.get(content_hash)
        return 0.0 if query is None or text is None else float(query @ text)

    def alike(self, one: str, other: str, threshold: float) -> bool:
        """Whether two texts are the same answer: same text, same symbol, or cosine at or above the threshold."""
        if one == other:
            return True
        symbol = self.symbols.get(one)
        if symbol and symbol == self.symbols.get(other):
            return True
        first, second = self.vectors.get(one), self.vectors.get(other)
        return first is not None and second is not None and float(first @ second) >= threshold


def mine(
    judgments: Sequence[Judgment],
    lists: Mapping[int, Impression],
    splits: Mapping[int, Split],
    passages: Passages,
    rng: np.random.Generator,
    policy: MinePolicy,
) -> list[Pair]:
    """Training pairs of all groups on the training side that have a positive, ordered by group.

    ``lists``: group → the impression that its pairs take their query, candidates and first-stage scores from.
    Negatives weigh what the group's best positive weighs, so that a weakly backed or capped query stays weak.
    """
    by_group: dict[int, list[Judgment]] = defaultdict(list)
    unsettled: dict[int, set[str]] = defaultdict(set)
    for judgment in judgments:
        if not trains(judgment):
            unsettled[judgment.group_id].add(judgment.content_hash)
        elif splits.get(judgment.group_id) is Split.TRAIN and judgment.group_id in lists:
            by_group[judgment.group_id].append(judgment)
    trained = {group: members for group, members in by_group.items() if any(m.relevance > 0.5 for m in members)}
    pairs: list[Pair] = []
    for group in sorted(trained):
        miner = _Miner(group, trained[group], unsettled[group], lists[group], passages, policy)
        pairs += miner.judged()
        pairs += miner.hard(rng)
        others = [lists[other] for other in sorted(trained) if other != group]
        pairs += miner.easy(others, rng)
    return pairs


def passed_over(
    said: Iterable[Signal],
    rated: Mapping[str, Impression],
    groups: Mapping[str, int],
    judgments: Iterable[Judgment],
    known: Known,
) -> dict[int, frozenset[str]]:
    """Group → texts that were shown with an answer whose reader then named a right chunk.

    Only a chunk that ``judgments`` hold right counts, not one whose judgment was vetoed, contradicted or outvoted.
    ``said``: signals in force. ``rated``: answer id → impression. ``groups``: query as asked → group.
    """
    right = {(one.group_id, one.content_hash) for one in judgments if trains(one) and one.relevance > 0.5}
    shown: dict[int, set[str]] = defaultdict(set)
    for signal in said:
        named = signal.kind is SignalKind.CORRECTION or (signal.kind is SignalKind.CHUNK_VOTE and signal.value)
        impression = rated.get(signal.answer_id)
        if not named or signal.chunk_id is None or impression is None or impression.query not in groups:
            continue
        group, text = groups[impression.query], known.text(signal.chunk_id, impression)
        if (group, text) in right:
            shown[group].update(row.content_hash for row in impression.rows if row.shown)
    return {group: frozenset(found) for group, found in shown.items()}


class _Miner:
    """The pairs of one query group."""

    def __init__(
        self,
        group: int,
        judgments: Sequence[Judgment],
        unsettled: AbstractSet[str],
        impression: Impression,
        passages: Passages,
        policy: MinePolicy,
    ) -> None:
        self.group, self.impression, self.passages, self.policy = group, impression, passages, policy
        told = [one for one in judgments if not _superseded(one, judgments)]
        self.liked = {one.content_hash: _took_back(one, judgments) for one in judgments if one not in told}
        self.judgments = sorted(told, key=lambda judgment: (-judgment.relevance, judgment.content_hash))
        self.positives = [judgment for judgment in self.judgments if judgment.relevance > 0.5]
        self.weight = max(judgment.weight for judgment in self.positives)
        self.rows: dict[str, ImpressionRow] = {}
        for row in sorted(impression.rows, key=lambda row: row.first_stage_rank):
            self.rows.setdefault(row.content_hash, row)
        self.known = {judgment.content_hash for judgment in self.judgments} | unsettled

    def judged(self) -> list[Pair]:
        """What a weak signal speaks against is left out where it may be right all the same."""
        return [
            self._pair(
                judgment.content_hash,
                1.0 if judgment.relevance > 0.5 else 0.0,
                judgment.weight,
                judgment.sources[0],
                "; ".join(judgment.reasons),
            )
            for judgment in self.judgments
            if judgment.relevance > 0.5 or judgment.strong or not self._doubtful(judgment.content_hash)
        ]

    def hard(self, rng: np.random.Generator) -> list[Pair]:
        pool = [row for row in self.rows.values() if row.first_stage_rank <= self.policy.depth and self._wrong(row)]
        return [
            self._pair(
                row.content_hash,
                0.0,
                self.weight,
                PairSource.HARD_NEGATIVE,
                self._why_not(row),
            )
            for row in _spread(pool, self.policy.hard, self.policy.depth, rng)
        ]

    def _why_not(self, row: ImpressionRow) -> str:
        if row.content_hash in self.liked:
            return (
                f"at rank {row.first_stage_rank}: clicked or in a liked answer, but the same person named another chunk"
            )
        return f"candidate at rank {row.first_stage_rank} that nobody judged right"

    def easy(self, others: Sequence[Impression], rng: np.random.Generator) -> list[Pair]:
        """A few tries each: in a small corpus every text is in every list, and then there is no easy one."""
        made: dict[str, Pair] = {}
        for _ in range(self.policy.random * 4 if others else 0):
            if len(made) == self.policy.random:
                break
            source = others[int(rng.integers(len(others)))]
            row = source.rows[int(rng.integers(len(source.rows)))]
            text = row.content_hash
            if text in self.rows or text in made or self._is_known(text) or self._alike(text):
                continue
            reason = "a random candidate of another question"
            made[text] = self._pair(text, 0.0, self.weight, PairSource.RANDOM_NEGATIVE, reason)
        return list(made.values())

    def _wrong(self, row: ImpressionRow) -> bool:
        """Not judged, and not doubtful. What somebody else liked is nobody's negative."""
        text = row.content_hash
        return not self._is_known(text) and self.liked.get(text, True) and not self._doubtful(text)

    def _is_known(self, text: str) -> bool:
        """Whether anything was said of the text, or of what it has become."""
        return text in self.known or self.passages.moved.get(text, text) in self.known

    def _doubtful(self, text: str) -> bool:
        """Like a positive, or scored like one, so perhaps right though nobody said so.

        What stood before a person who named another chunk right was seen and passed over, so its score is no excuse.
        """
        if self._alike(text):
            return True
        if text in self.passages.shown.get(self.group, ()):
            return False
        return self._base(text) > self.policy.share * max(self._base(one.content_hash) for one in self.positives)

    def _alike(self, text: str) -> bool:
        return any(self.passages.alike(text, p.content_hash, self.policy.duplicate) for p in self.positives)

    def _base(self, content_hash: str) -> float:
        """The first-stage score: what the base ranks by until it has learned."""
        dense, lexical = self._first_stage(content_hash)
        return dense + self.passages.lexical_weight * lexical

    def _first_stage(self, content_hash: str) -> tuple[float, float]:
        row = self.rows.get(content_hash)
        if row is not None:
            return row.dense_score, row.lexical_score
        lexical = self.passages.lexical.get((self.group, content_hash), 0.0)
        return self.passages.dense(self.group, content_hash), lexical

    def _pair(self, content_hash: str, label: float, weight: float, source: PairSource, reason: str) -> Pair:
        dense, lexical = self._first_stage(content_hash)
        return Pair(
            group_id=self.group,
            query=self.impression.query,
            content_hash=content_hash,
            label=label,
            weight=weight,
            source=source,
            dense_score=dense,
            lexical_score=lexical,
            reason=reason,
        )


def _superseded(one: Judgment, judgments: Sequence[Judgment]) -> bool:
    """A click or an answer's thumb names no right chunk where somebody named another one: it was one of many shown."""
    return one.relevance > 0.5 and not one.strong and any(o.relevance > 0.5 and o.strong for o in judgments)


def _took_back(one: Judgment, judgments: Sequence[Judgment]) -> bool:
    """Whether all who liked a superseded chunk then named another one."""
    named = {actor for o in judgments if o.relevance > 0.5 and o.strong for actor in o.actors}
    return set(one.actors) <= named


def _spread(pool: Sequence[ImpressionRow], count: int, depth: int, rng: np.random.Generator) -> list[ImpressionRow]:
    """Up to ``count`` rows, one at random from each of ``count`` equal bands of rank; the rest fills up empty bands."""
    if count <= 0:
        return []
    if len(pool) <= count:
        return list(pool)
    bands: dict[int, list[ImpressionRow]] = defaultdict(list)
    for row in pool:
        bands[(row.first_stage_rank - 1) * count // depth].append(row)
    chosen = [members[int(rng.integers(len(members)))] for _, members in sorted(bands.items())]
    taken = {row.content_hash for row in chosen}
    rest = [row for row in pool if row.content_hash not in taken]
    chosen += [rest[int(index)] for index in rng.permutation(len(rest))[: count - len(chosen)]]
    return sorted(chosen, key=lambda row: row.first_stage_rank)
