"""The four arms on the same lists: no rerank, base, champion, challenger. Rows to store, and scores for the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from store.evaluations import EvalRow
from store.queries import normalise
from store.types import Blend, EvalQuery, Json
from trainer.arms import Arms
from trainer.evaluate import Ranked, Scores, mean_metrics, rank_all, score_queries
from trainer.metrics import measure

METRIC = "ndcg@10"
_KEPT = 10
_FROM_TEN = (METRIC, "mrr@10")
"""Metrics that the ten stored results decide."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A competitor: a scorer (None: it does not rerank) and its blend."""

    blend: Blend
    scorer: Scores | None
    texts: Mapping[str, str]
    cancelled: Callable[[], bool]

    def rank(self, queries: Sequence[EvalQuery]) -> list[Ranked]:
        """Raises Cancelled."""
        if self.scorer is None:
            return rank_all(queries, self.blend, None)
        return rank_all(queries, self.blend, score_queries(self.scorer, queries, self.texts, cancelled=self.cancelled))


@dataclass(frozen=True, slots=True)
class Contest:
    """Every arm's rankings of one body of evidence; of the same groups, but for out of fold (see ``common``)."""

    evidence: str
    """held_out, out_of_fold, second_opinions, golden, general or imported."""
    arms: Mapping[str, Sequence[Ranked]]
    """Arm name → rankings. ``rolled_back`` only where there was such a version."""

    def scores(self) -> Arms:
        """ndcg@10 by group, for the gate."""
        by_arm = {arm: {one.group_id: one.metrics[METRIC] for one in ranked} for arm, ranked in self.arms.items()}
        return Arms(
            challenger=by_arm.get("challenger", {}),
            champion=by_arm.get("champion", {}),
            base=by_arm.get("base", {}),
            no_rerank=by_arm.get("no_rerank", {}),
            rolled_back=by_arm.get("rolled_back"),
        )

    def rows(self) -> list[EvalRow]:
        """What is stored: metrics and the best ten of each list."""
        return [
            EvalRow(arm, self.evidence, one.group_id, one.query.query, dict(one.metrics), one.ranking[:_KEPT])
            for arm, ranked in self.arms.items()
            if arm != "rolled_back"
            for one in ranked
        ]

    def means(self) -> Json:
        return {arm: mean_metrics(ranked) for arm, ranked in self.arms.items()}

    def common(self) -> Contest:
        """Only the groups that every arm has an honest score for."""
        each = [frozenset(one.group_id for one in ranked) for ranked in self.arms.values()]
        groups = frozenset.intersection(*each) if each else frozenset()
        arms = {arm: [one for one in ranked if one.group_id in groups] for arm, ranked in self.arms.items()}
        return Contest(self.evidence, arms)

    @property
    def groups(self) -> frozenset[int]:
        return frozenset(one.group_id for one in next(iter(self.arms.values()), ()))

    @property
    def size(self) -> int:
        """Number of groups."""
        return len(next(iter(self.arms.values()), ()))


@dataclass(frozen=True, slots=True)
class Served:
    """A registered version: its stored out-of-fold results, the groups it trained on, and itself."""

    stored: Mapping[int, EvalRow]
    lists: Mapping[int, frozenset[str]]
    """Group → content hashes of the list that ``stored`` is a ranking of."""
    groups: frozenset[int]
    heard: frozenset[int]
    """Ids of the signals that it was made from."""
    arm: Arm

    def out_of_fold(self, queries: Sequence[EvalQuery]) -> list[Ranked]:
        """Groups that the version never trained on are ranked by it; for the others its stored out-of-fold ranking is
        measured against today's truth. A group with neither is left out: the version's own score would be flattering.
        So is one whose list has since changed so that the stored ranking could not hold every right chunk of today's,
        and one that stands for the group in other words today: that would be a ranking of another question.
        """
        by_group = {one.group_id: one for one in self.arm.rank([q for q in queries if q.group_id not in self.groups])}
        for query in queries:
            row = self.stored.get(query.group_id)
            if query.group_id in self.groups and row is not None and self._comparable(row, query):
                again = measure(row.ranking, query.relevance, _FROM_TEN)
                by_group[query.group_id] = Ranked(query, row.ranking, {**row.metrics, **again})
        return [by_group[query.group_id] for query in queries if query.group_id in by_group]

    def unheard(self, queries: Sequence[EvalQuery], signals: Mapping[int, Sequence[int]]) -> list[Ranked]:
        """Second opinions ranked by the version itself, but for those that it was trained on.

        ``signals``: group → ids of what the second person said.
        """
        return self.arm.rank([query for query in queries if self.heard.isdisjoint(signals[query.group_id])])

    def _comparable(self, row: EvalRow, query: EvalQuery) -> bool:
        """Whether the stored ranking could be one of today's list: same question, all ranked there, all truth was."""
        if normalise(row.query) != normalise(query.query):
            return False
        today = frozenset(query.content_hashes)
        right = {name for name in today if query.relevance.get(name, 0.0) > 0}
        return today.issuperset(row.ranking) and right <= self.lists.get(query.group_id, frozenset())


def outranked(challenger: Sequence[Ranked], limit: int = 50) -> list[Json]:
    """Queries where an unjudged chunk stands above every relevant one: for a person to judge, most doubtful first."""
    doubtful = [one for one in challenger if one.ranking and one.ranking[0] not in one.query.relevance]
    doubtful.sort(key=lambda one: (one.metrics[METRIC], one.group_id))
    return [
        {"query": one.query.query, "content_hash": one.ranking[0], METRIC: one.metrics[METRIC]}
        for one in doubtful[:limit]
    ]
