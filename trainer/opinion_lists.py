"""The part of a data set that second opinions make: their lists, and their groups' pairs without them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from store import impressions, jobs
from store.database import Database
from store.types import Impression, JobKind, JobState, Json, Judgment, Pair, SecondOpinion, Signal, Split
from trainer.judging import Judged
from trainer.lists import evaluation
from trainer.second_opinions import TRAFFIC, Said, opinions, traffic

_NIGHTS = 10_000
Mine: TypeAlias = Callable[[Sequence[Judgment], Mapping[int, Impression], Sequence[Signal]], list[Pair]]
"""(judgments, lists by group, signals they were made from) → pairs."""


@dataclass(frozen=True, slots=True)
class Opinions:
    lists: tuple[SecondOpinion, ...] = ()
    params: Json = field(default_factory=dict)
    """The traffic that they stand for, as a parameter of the snapshot; empty without lists."""
    disputed: int = 0
    """Groups left out since somebody spoke against what another had named."""

    @property
    def counts(self) -> Json:
        return {"lists": len(self.lists), "disputed": self.disputed}


def opinion_lists(
    db: Database, judged: Judged, splits: Mapping[int, Split], near: Iterable[Sequence[int]], mine: Mine
) -> Opinions:
    """Those that can be scored. One whose group teaches nothing without that person stays in, with no pairs: rating
    was worth nothing to them.

    A group with a golden question or a person's override is left out: they have neither time nor a person of their
    own, so they could carry the last one's word into what was said before. What was said before is judged beside all
    other groups, so that accounts are capped as in the whole.
    """
    inputs, rules = judged.inputs, judged.rules
    with db.read() as tx:
        nights = [
            (job.started_at, job.finished_at)
            for job in jobs.list_all(tx, JobKind.NIGHTLY, _NIGHTS)
            if job.state is JobState.SUCCEEDED and job.started_at and job.finished_at
        ]
    said = Said(inputs.signals, inputs.rated, judged.grouped.places, rules.accounts, nights)
    seen = opinions(said, near)
    ruled = {one.group_id for one in rules.golden}
    edited = {name for name, one in rules.overrides.items() if one.action != "restore"}
    ruled |= {one.group_id for one in judged.judgments if one.id in edited or one.vetoed}
    found = {one.group_id: one for one in seen.opinions if one.group_id not in ruled}
    own = frozenset[int]().union(*(one.own for one in found.values()))
    dropped = frozenset[int]().union(*(one.dropped for one in found.values()))
    truth = judged.again([signal for signal in inputs.signals if signal.id in own])
    evaluated = evaluation(truth, judged.lists.full, splits, judged.known).train
    if not evaluated:
        return Opinions(disputed=len(seen.disputed))
    before = [signal for signal in inputs.signals if signal.id not in dropped]
    wanted = {one.group_id for one in evaluated}
    lists = {group: one for group, one in judged.lists.best.items() if group in wanted}
    pairs: dict[int, list[Pair]] = defaultdict(list)
    for pair in mine([one for one in judged.again(before) if one.group_id in wanted], lists, before):
        pairs[pair.group_id].append(pair)
    made = tuple(
        SecondOpinion(query, tuple(pairs[query.group_id]), tuple(sorted(found[query.group_id].own)))
        for query in evaluated
    )
    with db.read() as tx:
        asked = traffic(impressions.asked(tx), said, wanted)
    return Opinions(made, {TRAFFIC: asked.as_json()}, len(seen.disputed))
