"""Bursts: more acts of one account within a window than a person who reads answers could mean. Pure.

What belongs to a burst makes no judgment until a person decides about it (``store.quarantine``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from store.types import SignalKind

COUNTED = frozenset(SignalKind) - {SignalKind.REASONS, SignalKind.NOTE}
"""Kinds that judgments are made from. What is said beside them is held back with them and not counted."""


class Fate(StrEnum):
    """What becomes of a burst's signals."""

    HELD = "held"
    RELEASED = "released"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Limit:
    """More than ``signals`` within ``minutes`` is a burst; 0 signals: nothing ever is."""

    signals: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Act:
    """A signal, as far as bursts go."""

    id: int
    account: str
    """The signed-in or named person; those who are neither share one a client address."""
    created_at: datetime
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said about the signals of one account from ``first_signal`` to ``last_signal``."""

    id: int
    account: str
    first_signal: int
    last_signal: int
    fate: Fate
    actor: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Burst:
    """Signals of one burst that share a fate. ``decision`` is None while they are held back."""

    account: str
    signal_ids: tuple[int, ...]
    """In the order of their ids."""
    counted: int
    """Of them those that could make judgments."""
    began: datetime
    ended: datetime
    fate: Fate
    decision: Decision | None = None


def bursts(acts: Iterable[Act], decisions: Sequence[Decision], limit: Limit) -> list[Burst]:
    """Every burst, newest first, in one part for each fate. Of decisions about a signal the latest is in force."""
    if limit.signals <= 0:
        return []
    by_account: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        by_account[act.account].append(act)
    about: dict[str, list[Decision]] = defaultdict(list)
    for decision in sorted(decisions, key=lambda one: one.id):
        about[decision.account].append(decision)
    found = [
        part
        for account, said in by_account.items()
        for burst in _of_account(sorted(said, key=lambda act: (act.created_at, act.id)), limit)
        for part in _parts(account, burst, about[account])
    ]
    return sorted(found, key=lambda burst: (burst.ended, burst.signal_ids), reverse=True)


def silenced(found: Iterable[Burst]) -> set[int]:
    """The signals that make no judgments: held back or left out."""
    return {id_ for burst in found if burst.fate is not Fate.RELEASED for id_ in burst.signal_ids}


def _of_account(acts: Sequence[Act], limit: Limit) -> list[list[Act]]:
    """``acts`` in the order of time: the stretches in which some window holds more counted ones than allowed."""
    window = timedelta(minutes=limit.minutes)
    stretches: list[tuple[int, int]] = []
    first = inside = 0
    for last, act in enumerate(acts):
        inside += act.counted
        while act.created_at - acts[first].created_at > window:
            inside -= acts[first].counted
            first += 1
        if inside > limit.signals:
            if stretches and first <= stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], last)
            else:
                stretches.append((first, last))
    return [list(acts[start : end + 1]) for start, end in stretches]


def _parts(account: str, burst: Sequence[Act], decisions: Sequence[Decision]) -> list[Burst]:
    parts: dict[int, list[Act]] = defaultdict(list)
    by_id = {decision.id: decision for decision in decisions}
    for act in burst:
        covering = [one.id for one in decisions if one.first_signal <= act.id <= one.last_signal]
        parts[covering[-1] if covering else 0].append(act)
    return [
        Burst(
            account=account,
            signal_ids=tuple(sorted(act.id for act in acts)),
            counted=sum(act.counted for act in acts),
            began=acts[0].created_at,
            ended=acts[-1].created_at,
            fate=by_id[number].fate if number else Fate.HELD,
            decision=by_id.get(number),
        )
        for number, acts in parts.items()
    ]
