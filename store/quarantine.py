"""Bursts of signals in the database, and what people decided about them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from store.bursts import COUNTED, Act, Burst, Decision, Fate, Limit, bursts
from store.checks import clean
from store.errors import InvalidInput, NotFound
from store.tables import burst_decisions, signals

ACCOUNT_CHARACTERS = 264


def acts(tx: Connection) -> list[Act]:
    """Every signal ever, retractions included: taking a vote back is an act too."""
    columns = signals.c
    rows = tx.execute(select(columns.id, columns.actor, columns.client, columns.kind, columns.created_at))
    counted = {str(kind) for kind in COUNTED}
    return [
        Act(row.id, f"client {row.client}" if row.client else row.actor, row.created_at, row.kind in counted)
        for row in rows
    ]


def decisions(tx: Connection) -> list[Decision]:
    """All that was decided, oldest first."""
    return [
        Decision(
            id=row.id,
            account=row.account,
            first_signal=row.first_signal,
            last_signal=row.last_signal,
            fate=Fate(row.action),
            actor=row.actor,
            reason=row.reason,
            created_at=row.created_at,
        )
        for row in tx.execute(select(burst_decisions).order_by(burst_decisions.c.id))
    ]


def found(tx: Connection, limit: Limit) -> list[Burst]:
    """Every burst with its fate, newest first."""
    return bursts(acts(tx), decisions(tx), limit) if limit.signals > 0 else []


def decide(
    tx: Connection,
    limit: Limit,
    account: str,
    first_signal: int,
    last_signal: int,
    fate: Fate,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Release a burst's signals or leave them out for good; a later decision replaces this one.

    Raises NotFound where no burst of the account lies within these signals, InvalidInput for another fate.
    """
    if fate is Fate.HELD:
        raise InvalidInput("a burst is held back until somebody decides: release it or leave it out")
    clean(account, "the account", ACCOUNT_CHARACTERS)
    within = (
        burst.account == account and first_signal <= burst.signal_ids[0] and burst.signal_ids[-1] <= last_signal
        for burst in found(tx, limit)
    )
    if not any(within):
        raise NotFound(f"no burst of {account!r} from signal {first_signal} to {last_signal}; load the list again")
    tx.execute(
        insert(burst_decisions).values(
            account=account,
            first_signal=first_signal,
            last_signal=last_signal,
            action=fate.value,
            actor=clean(actor, "the actor", 200),
            reason=clean(reason, "the reason"),
            created_at=now,
        )
    )
