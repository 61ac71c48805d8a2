"""Second opinions: what one more person said later about a question that others had judged.

Trained on what the others had said before, and measured by what that person said alone, a version shows what rating is
worth to whoever asks the same again. That is no measure of questions that nobody asked: the gate weighs it by how often
people do ask these again (``Traffic``). The split is by time, as in progressive validation (Blum, Kalai and Langford,
"Beating the hold-out: bounds for k-fold and progressive cross-validation", COLT 1999): test first, train afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from store.queries import normalise
from store.types import Impression, Json, Signal, SignalKind, Split
from trainer.evidence import Place

TRAFFIC = "traffic"
"""The parameter of a snapshot that holds ``Traffic``."""
FEWEST = 20
"""Fewer second opinions count for nothing, in the gate and in the choice of a blend."""
MOST = 0.5
"""They never count for more than this share, whatever people ask: a script that repeats itself is no crowd."""
_NO_ACCOUNT = "client "
"""Begins the account of those who are not signed in (``store.signals.accounts``): known only of those who rated."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Signals about one group, by id."""

    group_id: int
    own: frozenset[int]
    """Those of the person who came last."""
    before: frozenset[int]
    """What a night could have learned from others before that person asked."""
    dropped: frozenset[int]
    """All but ``before``."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many questions were asked, each once by each person, and how many of them could have been learned before."""

    answers: int = 0
    again: Mapping[int, int] = field(default_factory=dict)
    """By group: somebody else had named a right chunk, and a night lay between."""

    def share(self, groups: Collection[int]) -> float:
        """The share that these groups' second opinions count for, in [0, ``MOST``]."""
        return min(MOST, sum(self.again.get(group, 0) for group in groups) / self.answers) if self.answers else 0.0

    def as_json(self) -> Json:
        return {"answers": self.answers, "again": {str(group): count for group, count in sorted(self.again.items())}}


def traffic_of(params: Json) -> Traffic:
    """The traffic that a snapshot's parameters record; none in snapshots without second opinions."""
    kept = params.get(TRAFFIC, {})
    return Traffic(int(kept.get("answers", 0)), {int(group): int(n) for group, n in kept.get("again", {}).items()})


@dataclass(frozen=True, slots=True)
class About:
    """What a signal is about, and when it could first be heard."""

    group_id: int
    repo: str | None
    asked: datetime
    said: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """Signals in force with what they are about."""

    signals: Sequence[Signal]
    impressions: Mapping[str, Impression]
    places: Mapping[str, Place]
    """Query as asked → group."""
    accounts: Mapping[str, str]
    """Actor → account."""
    nights: Sequence[tuple[datetime, datetime]]
    """When each nightly job that ended well began and ended."""

    def account(self, actor: str) -> str:
        return self.accounts.get(actor, actor)

    def about(self, signal: Signal) -> About | None:
        """None but for questions of the training side."""
        impression = self.impressions.get(signal.answer_id)
        place = self.places.get(impression.query) if impression is not None else None
        if impression is None or place is None or place.split is not Split.TRAIN or place.bridged:
            return None
        asked = impression.created_at
        return About(place.group_id, impression.repo, asked, max(asked, signal.created_at))

    def learned(self, said: datetime, asked: datetime) -> bool:
        """Whether a night lay between, so that an answer could have been better for what was said."""
        return any(said < began and ended <= asked for began, ended in self.nights)

    def by_group(self) -> dict[int, list[tuple[About, Signal]]]:
        found: dict[int, list[tuple[About, Signal]]] = defaultdict(list)
        for signal in self.signals:
            about = self.about(signal)
            if about is not None:
                found[about.group_id].append((about, signal))
        return found


@dataclass(frozen=True, slots=True)
class Found:
    opinions: tuple[Opinion, ...]
    disputed: frozenset[int]
    """Groups where somebody spoke against what another had named, and named nothing: no list could measure that."""


def opinions(said: Said, near: Iterable[Sequence[int]]) -> Found:
    """Of each group that several people named a right chunk for, the opinion of the one who came last.

    A group is left out where that person's word could be heard elsewhere: in a question that is nearly the same
    (``near``), or in another question for which they named the same chunk.
    """
    groups = said.by_group()
    beside = {group: members for members in near for group in members}
    spoke: dict[str, set[int]] = defaultdict(set)
    chunks: dict[tuple[str, int | None], set[int]] = defaultdict(set)
    for group, pieces in groups.items():
        for _, signal in pieces:
            spoke[said.account(signal.actor)].add(group)
            if names(signal):
                chunks[(said.account(signal.actor), signal.chunk_id)].add(group)
    made, disputed = [], set()
    for group, pieces in sorted(groups.items()):
        if _disputed(said, pieces):
            disputed.add(group)
            continue
        opinion = _last(said, group, pieces)
        if opinion is None:
            continue
        own = [signal for _, signal in pieces if signal.id in opinion.own]
        last = said.account(own[0].actor)
        elsewhere = any(chunks[(last, signal.chunk_id)] != {group} for signal in own if names(signal))
        if not elsewhere and spoke[last].isdisjoint(set(beside.get(group, ())) - {group}):
            made.append(opinion)
    return Found(tuple(made), frozenset(disputed))


def _last(said: Said, group: int, pieces: Sequence[tuple[About, Signal]]) -> Opinion | None:
    came: dict[str, datetime] = {}
    named: dict[str, datetime] = {}
    for about, signal in pieces:
        account = said.account(signal.actor)
        came[account] = min(about.asked, came.get(account, about.asked))
        if names(signal):
            named[account] = min(about.said, named.get(account, about.said))
    if len(named) < 2:
        return None
    last = max(named, key=lambda account: (came[account], account))
    own = frozenset(signal.id for _, signal in pieces if said.account(signal.actor) == last)
    others = [(about, signal) for about, signal in pieces if signal.id not in own]
    before = frozenset(signal.id for about, signal in others if said.learned(about.said, came[last]))
    if not any(names(signal) for _, signal in others if signal.id in before):
        return None
    return Opinion(group, own, before, frozenset(signal.id for _, signal in pieces) - before)


def _disputed(said: Said, pieces: Sequence[tuple[About, Signal]]) -> bool:
    """Otherwise only those would be heard who agree, or take the trouble to look for what is right."""
    named = [(signal.chunk_id, said.account(signal.actor), about.said) for about, signal in pieces if names(signal)]
    namers = {account for _, account, _ in named}
    against = [
        (signal.chunk_id, about.said)
        for about, signal in pieces
        if signal.kind is SignalKind.CHUNK_VOTE and signal.value is False and said.account(signal.actor) not in namers
    ]
    return any(chunk == other and when < later for chunk, later in against for other, _, when in named)


def traffic(asked: Iterable[tuple[str, str | None, str, datetime]], said: Said, groups: Collection[int]) -> Traffic:
    """``asked``: (query, repository, actor, when), oldest first. ``groups``: those that are counted.

    Other words for a question that nobody rated in these words count as new. So does what somebody asks of whom it
    isn't known whether they are the one who had judged it.
    """
    places = {normalise(query): place.group_id for query, place in said.places.items()}
    named: dict[tuple[int, str | None], dict[str, datetime]] = defaultdict(dict)
    for pieces in said.by_group().values():
        for about, signal in pieces:
            if names(signal):
                who = named[(about.group_id, about.repo)]
                account = said.account(signal.actor)
                who[account] = min(about.said, who.get(account, about.said))
    once: set[tuple[str, str | None, str]] = set()
    again: dict[int, int] = defaultdict(int)
    for query, repo, actor, at in asked:
        words, asker = normalise(query), said.account(actor)
        if (words, repo, asker) in once:
            continue
        once.add((words, repo, asker))
        group = places.get(words, -1)
        known = actor in said.accounts
        others = [
            when
            for account, when in named.get((group, repo), {}).items()
            if account != asker and (known or not account.startswith(_NO_ACCOUNT))
        ]
        if group in groups and any(said.learned(when, at) for when in others):
            again[group] += 1
    return Traffic(len(once), dict(again))


def names(signal: Signal) -> bool:
    """Whether it names a right chunk: a vote for it, or a correction."""
    if signal.chunk_id is None:
        return False
    return signal.kind is SignalKind.CORRECTION or (signal.kind is SignalKind.CHUNK_VOTE and signal.value is True)
