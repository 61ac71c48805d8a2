"""Everything that people said, read and judged: the first half of a dataset, and all that the admin page needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from store import golden as golden_store
from store import imports, impressions, judgments, quarantine, queries, signals
from store.bursts import Burst, Limit, silenced
from store.database import Connection, Database
from store.golden import Golden
from store.types import Impression, Judgment, Signal
from trainer import golden
from trainer.embed import embedded
from trainer.evidence import Evidence, Known, Policy
from trainer.grouping import Grouped, TextEncoder, group_queries
from trainer.history import Lists, logged_lists, lost_texts, whereabouts
from trainer.judgments import judge

Sources = Literal["all", "ratings", "imported"]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is in force."""

    signals: list[Signal]
    rated: dict[str, Impression]
    questions: list[Golden]
    rows: list[tuple[str, str, float]]
    """Imported (query, content hash, label)."""
    bursts: list[Burst]
    """Of ratings that were too many at once; ``signals`` are without those held back or left out."""

    @property
    def queries(self) -> list[str]:
        """As asked, oldest first, so that a repeated build decides the same."""
        asked = sorted(self.rated.values(), key=lambda one: (one.created_at, one.answer_id))
        return [
            *(one.query for one in asked),
            *(question.query for question in self.questions),
            *(query for query, _, _ in self.rows),
        ]


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides besides signals: people's overrides by judgment, accounts, and the team's golden questions."""

    overrides: Mapping[str, judgments.Override]
    accounts: Mapping[str, str]
    golden: tuple[Evidence, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class Judged:
    """All judgments, and what they were made from."""

    inputs: Inputs
    grouped: Grouped
    judgments: list[Judgment]
    lost: list[int]
    """Golden questions whose places are gone."""
    lists: Lists
    """Empty where they were not asked for."""
    known: Known
    rules: Rules

    def again(self, signals: Iterable[Signal]) -> list[Judgment]:
        """What some of the signals alone would mean, without golden questions."""
        return _judged(signals, self.inputs, self.grouped, self.known, self.rules, ())


def judge_all(
    db: Database, encoder: TextEncoder, policy: Policy, now: datetime, sources: Sources, depth: int | None = None
) -> Judged:
    """Group the queries of all sources (which writes new groups) and judge them; the judgments are not stored here.

    ``depth``: how many candidates the server logs, to tell the lists that are evidence; None reads no list but those
    of rated answers, which is all that the judgments are made from.
    """
    with db.read() as tx:
        inputs = _read(tx, sources, Limit(policy.burst_signals, policy.burst_minutes))
    _follow_encoder(db, encoder, inputs)
    grouped = group_queries(db, encoder, inputs.queries, now)
    with db.read() as tx:
        lists = Lists({}, {})
        if depth is not None:
            lists = logged_lists(tx, grouped.places, depth, inputs.rated.values())
        known = _known(tx, encoder.name, inputs, lists)
        also, lost = golden.evidence(tx, inputs.questions, grouped.places, policy)
        rules = Rules(judgments.overrides(tx), signals.accounts(tx), tuple(also), policy)
    made = _judged(inputs.signals, inputs, grouped, known, rules, rules.golden)
    return Judged(inputs, grouped, made, lost, lists, known, rules)


def _follow_encoder(db: Database, encoder: TextEncoder, inputs: Inputs) -> None:
    """After a change of encoder, embed what was judged and is live no more: nobody else does, and without a vector no
    changed text is found to follow it.
    """
    with db.read() as tx:
        if queries.encoder(tx) in (None, encoder.name):
            return
        lost = lost_texts(tx, _judged_ids(inputs))
    embedded(db, encoder, lost)


def _judged(
    said: Iterable[Signal], inputs: Inputs, grouped: Grouped, known: Known, rules: Rules, also: Iterable[Evidence]
) -> list[Judgment]:
    overrides, accounts = rules.overrides, rules.accounts
    return judge(said, inputs.rated, grouped.places, overrides, known, rules.policy, accounts, also)


def _read(tx: Connection, sources: Sources, limit: Limit) -> Inputs:
    bursts = quarantine.found(tx, limit) if sources != "imported" else []
    said = signals.in_force(tx, without=silenced(bursts)) if sources != "imported" else []
    rated = impressions.for_answers(tx, sorted({signal.answer_id for signal in said}))
    questions = golden_store.list_all(tx) if sources != "imported" else []
    rows = list(imports.pairs(tx, None)) if sources != "ratings" else []
    return Inputs(said, rated, questions, rows, bursts)


def _known(tx: Connection, encoder: str, inputs: Inputs, lists: Lists) -> Known:
    ids = {row.chunk_id for one in lists.best.values() for row in one.rows}
    return whereabouts(tx, encoder, ids | _judged_ids(inputs))


def _judged_ids(inputs: Inputs) -> set[int]:
    ids = {signal.chunk_id for signal in inputs.signals if signal.chunk_id is not None}
    return ids | {row.chunk_id for one in inputs.rated.values() for row in one.rows}
