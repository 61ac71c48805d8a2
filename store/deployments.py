"""The champion pointer and the append-only ledger of its moves: always changed together, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from store.errors import Conflict, NotFound
from store.tables import champion as champion_table
from store.tables import deployments, versions
from store.types import FIRST_STAGE_VERSION, REPEATS, Champion, Decision, Deployment, DeploymentAction, Version

_POINTER = 1


def champion(tx: Connection) -> Champion:
    """Which version serves. Raises NotFound before ``registry.ensure_first_stage``."""
    row = tx.execute(select(champion_table).where(champion_table.c.id == _POINTER)).one_or_none()
    if row is None:
        raise NotFound("no champion yet: the data directory has not been initialised")
    return Champion(row.version_id, row.generation, row.since, row.auto_promote)


def begin(tx: Connection, to_version: int, now: datetime) -> Deployment | None:
    """Set the very first champion; None when there is one already."""
    if tx.execute(select(champion_table.c.id)).first() is not None:
        return None
    tx.execute(
        insert(champion_table).values(id=_POINTER, version_id=to_version, generation=0, since=now, auto_promote=True)
    )
    start = Champion(to_version, 0, now, True)
    return _move(tx, start, to_version, "system", DeploymentAction.INITIAL, "first start", now)


def promote(
    tx: Connection,
    to_version: int,
    actor: str,
    reason: str,
    now: datetime,
    *,
    forced: bool = False,
    job_id: int | None = None,
    expected_generation: int | None = None,
) -> Deployment:
    """Make ``to_version`` the champion.

    Raises NotFound for an unknown version; Conflict when it serves already, or when the pointer has moved
    since ``expected_generation``.
    """
    current = champion(tx)
    _require_version(tx, to_version)
    if expected_generation is not None and current.generation != expected_generation:
        raise Conflict(
            f"the champion has changed meanwhile (generation {current.generation}, expected {expected_generation}): "
            "look again and decide anew"
        )
    if to_version == current.version_id:
        raise Conflict(f"version {to_version} is the champion already")
    return _move(tx, current, to_version, actor, DeploymentAction.PROMOTE, reason, now, forced=forced, job_id=job_id)


def rollback(tx: Connection, actor: str, reason: str, now: datetime, to: int | None = None) -> Deployment:
    """Go back to an earlier champion (default: the one before this) and pause automatic promotion.

    Repeated rollbacks walk further back, they don't alternate. Raises NotFound for an unknown version,
    Conflict when there is nothing to go back to, or ``to`` has never been the champion.
    """
    current = champion(tx)
    if to is None:
        to = rollback_target(tx)
        if to is None:
            raise Conflict(f"version {current.version_id} is the first champion: there is nothing to roll back to")
    _require_version(tx, to)
    if to == current.version_id:
        raise Conflict(f"version {to} is the champion already")
    if to not in earlier_champions(tx):
        raise Conflict(f"version {to} was never the champion: promote it instead")
    set_auto_promote(tx, False)
    return _move(tx, current, to, actor, DeploymentAction.ROLLBACK, reason, now)


def rollback_target(tx: Connection) -> int | None:
    """The champion before this one, where a rollback goes unless told otherwise; None when this is the first."""
    stack = _stack(_all(tx))
    return stack[-2] if len(stack) > 1 else None


def earlier_champions(tx: Connection) -> list[int]:
    """Every version that a rollback may name, last served first: champions of the past, and the first stage.

    A version that was taken back because it could not be loaded has not served by that move.
    """
    entries = _all(tx)
    undone = {entry.generation - 1 for entry in entries if entry.action is DeploymentAction.COMPENSATE}
    served = [entry.to_version for entry in reversed(entries) if entry.generation not in undone]
    now = champion(tx).version_id
    return [version for version in dict.fromkeys([*served, FIRST_STAGE_VERSION]) if version != now]


def compensate(tx: Connection, failed: Deployment, reason: str, now: datetime) -> Deployment | None:
    """Undo a move whose version could not be loaded; None when the pointer has moved on, or nothing was before it."""
    current = champion(tx)
    undoable = failed.action in (DeploymentAction.PROMOTE, DeploymentAction.ROLLBACK)
    if not undoable or failed.from_version is None or current.generation != failed.generation:
        return None
    return _move(tx, current, failed.from_version, "system", DeploymentAction.COMPENSATE, reason, now)


def objection(tx: Connection, version: Version) -> str | None:
    """Why promoting ``version`` today is against the gate; None where the gate wanted it in this champion's place.

    The gate's decision holds against the champion it was measured against, and never concerns the first stage.
    """
    serving = champion(tx).version_id
    if version.id in (FIRST_STAGE_VERSION, serving):
        return None
    if version.decision is not Decision.PROMOTE:
        said = "has not judged" if version.decision is None else f"said {version.decision.value} about"
        return f"The gate {said} version {version.id}."
    if REPEATS in version.metrics:
        return f"Version {version.id} is a rehearsal of an earlier night, which the gate counts as no trial."
    rival = version.metrics.get("against", {}).get("version")
    if rival == serving:
        return None
    return f"The gate judged version {version.id} against version {rival}, but version {serving} is the champion now."


def ledger(tx: Connection, limit: int = 100, offset: int = 0) -> list[Deployment]:
    """The moves, latest first."""
    rows = tx.execute(select(deployments).order_by(deployments.c.generation.desc()).limit(limit).offset(offset))
    return [_deployment(row) for row in rows]


def set_auto_promote(tx: Connection, on: bool) -> None:
    """Pause or resume automatic promotion."""
    tx.execute(update(champion_table).where(champion_table.c.id == _POINTER).values(auto_promote=on))


def rolled_back_from(tx: Connection) -> int | None:
    """The version that a person rolled back from, which the next challenger must beat; None once one was promoted."""
    undone: int | None = None
    for entry in reversed(_all(tx)):
        if entry.generation == undone:
            continue
        if entry.action is DeploymentAction.COMPENSATE:
            undone = entry.generation - 1
        elif entry.action is DeploymentAction.ROLLBACK:
            return entry.from_version
        else:
            return None
    return None


def _move(
    tx: Connection,
    current: Champion,
    to_version: int,
    actor: str,
    action: DeploymentAction,
    reason: str,
    now: datetime,
    *,
    forced: bool = False,
    job_id: int | None = None,
) -> Deployment:
    generation = current.generation + 1
    moved = tx.execute(
        update(champion_table)
        .where(champion_table.c.id == _POINTER, champion_table.c.generation == current.generation)
        .values(version_id=to_version, generation=generation, since=now)
    )
    if moved.rowcount != 1:
        raise Conflict("the champion has changed meanwhile: look again and decide anew")
    row = tx.execute(
        insert(deployments)
        .values(
            at=now,
            actor=actor,
            action=action.value,
            from_version=None if action is DeploymentAction.INITIAL else current.version_id,
            to_version=to_version,
            generation=generation,
            reason=reason,
            forced=forced,
            job_id=job_id,
        )
        .returning(deployments)
    ).one()
    return _deployment(row)


def _stack(entries: Sequence[Deployment]) -> list[int]:
    """Champions from the first to the present one, as going back would meet them.

    A compensation follows the move that it undoes at once, so it restores the stack of before that move.
    """
    stack: list[int] = []
    before: list[int] = []
    for entry in entries:
        kept = list(stack)
        if entry.action is DeploymentAction.COMPENSATE:
            stack = before
        elif entry.action is DeploymentAction.ROLLBACK and entry.to_version in stack[:-1]:
            stack.pop()
            while stack[-1] != entry.to_version:
                stack.pop()
        else:
            stack.append(entry.to_version)
        before = kept
    return stack


def _all(tx: Connection) -> list[Deployment]:
    return [_deployment(row) for row in tx.execute(select(deployments).order_by(deployments.c.generation))]


def _require_version(tx: Connection, version_id: int) -> None:
    if tx.execute(select(versions.c.id).where(versions.c.id == version_id)).first() is None:
        raise NotFound(f"no version {version_id}")


def _deployment(row: Row[Any]) -> Deployment:
    return Deployment(
        id=row.id,
        at=row.at,
        actor=row.actor,
        action=DeploymentAction(row.action),
        from_version=row.from_version,
        to_version=row.to_version,
        generation=row.generation,
        reason=row.reason,
        forced=row.forced,
        job_id=row.job_id,
    )
