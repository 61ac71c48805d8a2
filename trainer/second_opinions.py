"""Second opinions: what one more person said later about a question that others had judged.

Trained on what the others had said before, and measured by what that person said alone, a version shows what rating is
worth to whoever asks the same again. That is no measure of questions that nobody asked: the gate weighs it by how often
people do ask again (``Traffic``). The split is by time, as in "progressive validation" (Blum, Kalai and Langford,
"Beating the hold-out: bounds for k-fold and progressive cross-validation", COLT 1999): test first, train afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from store.queries import normalise
from store.types import Impression, Json, Signal, SignalKind, Split
from trainer.evidence import Place

TRAFFIC = "traffic"
"""The parameter of a snapshot that holds ``Traffic``."""
Named: TypeAlias = Mapping[int, Mapping[str, datetime]]
"""Group of the training side → account → when the first answer was given about which it named a right chunk."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Signals about one group: those of the person who came last, and what others had said until then."""

    group_id: int
    own: frozenset[int]
    before: frozenset[int]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was asked, and how much of it somebody else had already named a right chunk for."""

    answers: int
    again: int

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return self.again / self.answers if self.answers else 0.0

    def as_json(self) -> Json:
        return {"answers": self.answers, "again": self.again}


NO_TRAFFIC = Traffic(0, 0)


def traffic_of(params: Json) -> Traffic:
    """The traffic that a snapshot's parameters record; none in snapshots without second opinions."""
    kept = params.get(TRAFFIC, {})
    return Traffic(int(kept.get("answers", 0)), int(kept.get("again", 0)))


@dataclass(frozen=True, slots=True)
class Heard:
    """Signals in force with what they are about. ``places``: query as asked → group. ``accounts``: actor → account."""

    signals: Sequence[Signal]
    impressions: Mapping[str, Impression]
    places: Mapping[str, Place]
    accounts: Mapping[str, str]

    def account(self, actor: str) -> str:
        return self.accounts.get(actor, actor)

    def about(self, signal: Signal) -> tuple[int, datetime] | None:
        """Group of the training side and time of the answer; None for all others."""
        impression = self.impressions.get(signal.answer_id)
        place = self.places.get(impression.query) if impression is not None else None
        if impression is None or place is None or place.split is not Split.TRAIN or place.bridged:
            return None
        return place.group_id, impression.created_at


def named(heard: Heard) -> Named:
    """Who named a right chunk, and when first: a chunk vote for it, or a correction."""
    found: dict[int, dict[str, datetime]] = defaultdict(dict)
    for signal in heard.signals:
        about = heard.about(signal)
        if about is not None and _names(signal):
            group, at = about
            account = heard.account(signal.actor)
            found[group][account] = min(at, found[group].get(account, at))
    return found


def opinions(heard: Heard, near: Iterable[Sequence[int]]) -> list[Opinion]:
    """Of each group that several people named a right chunk for, the opinion of the one who came last.

    What counts as before was said about answers given before that person's first one. A group is left out where the
    same person also spoke about one that asks nearly the same (``near``): that would train on what it is measured by.
    """
    spoke: dict[int, dict[str, list[tuple[datetime, Signal]]]] = defaultdict(lambda: defaultdict(list))
    for signal in heard.signals:
        if about := heard.about(signal):
            spoke[about[0]][heard.account(signal.actor)].append((about[1], signal))
    beside = {group: frozenset(members) - {group} for members in near for group in members}
    made = []
    for group, names in sorted(named(heard).items()):
        first = {account: min(at for at, _ in spoke[group][account]) for account in names}
        last = max(first, key=lambda account: (first[account], account))
        earlier = [account for account, at in names.items() if account != last and at < first[last]]
        if not earlier or any(last in spoke[other] for other in beside.get(group, ())):
            continue
        others = (said for account, said in spoke[group].items() if account != last)
        before = frozenset(one.id for said in others for at, one in said if at < first[last])
        made.append(Opinion(group, frozenset(one.id for _, one in spoke[group][last]), before))
    return made


def traffic(asked: Iterable[tuple[str, str, datetime]], heard: Heard) -> Traffic:
    """``asked``: (query, actor, when). Other words for a question that nobody rated in these words count as new."""
    groups = {normalise(query): place.group_id for query, place in heard.places.items()}
    who = named(heard)
    total = again = 0
    for query, actor, at in asked:
        total += 1
        names = who.get(groups.get(normalise(query), -1), {})
        again += any(account != heard.account(actor) and when < at for account, when in names.items())
    return Traffic(total, again)


def _names(signal: Signal) -> bool:
    if signal.chunk_id is None:
        return False
    return signal.kind is SignalKind.CORRECTION or (signal.kind is SignalKind.CHUNK_VOTE and bool(signal.value))
