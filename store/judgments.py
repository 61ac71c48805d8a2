"""Judgments as the trainer's policy last wrote them, and what people overrode."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Unpack

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, true

from store.errors import InvalidInput, NotFound
from store.judgment_filter import Filters, conditions
from store.tables import judgment_overrides, judgment_signals
from store.tables import judgments as table
from store.types import Judgment, PairSource

_BATCH = 500
_ORDER = (table.c.query, table.c.relevance.desc(), table.c.id)


@dataclass(frozen=True, slots=True)
class Override:
    """What a person decided about a judgment: ``veto`` it, ``edit`` its relevance, or ``restore`` the policy's."""

    judgment_id: str
    action: Literal["veto", "edit", "restore"]
    relevance: float | None
    actor: str
    reason: str
    created_at: datetime


def replace_all(tx: Connection, judgments: Sequence[Judgment]) -> None:
    """Make the policy's result what is stored, writing only the difference: a rating changes a few rows of thousands.

    Overrides stay: they refer to judgments by their stable id.
    """
    wanted = {judgment.id: _values(judgment) for judgment in judgments}
    stored = {row.id: dict(row._mapping) for row in tx.execute(select(table))}
    stale = [{"stale": key} for key, row in stored.items() if wanted.get(key) != row]
    fresh = [row for key, row in wanted.items() if stored.get(key) != row]
    if stale:
        tx.execute(delete(table).where(table.c.id == bindparam("stale")), stale)  # their links go with them
    if fresh:
        tx.execute(insert(table), fresh)
    _replace_links(tx, {(judgment.id, signal) for judgment in judgments for signal in judgment.signal_ids})


def _replace_links(tx: Connection, wanted: set[tuple[str, int]]) -> None:
    links = judgment_signals.c
    stored = {(row.judgment_id, row.signal_id) for row in tx.execute(select(judgment_signals))}
    if stale := [{"stale": judgment, "of": signal} for judgment, signal in sorted(stored - wanted)]:
        one = (links.judgment_id == bindparam("stale")) & (links.signal_id == bindparam("of"))
        tx.execute(delete(judgment_signals).where(one), stale)
    if fresh := [{"judgment_id": judgment, "signal_id": signal} for judgment, signal in sorted(wanted - stored)]:
        tx.execute(insert(judgment_signals), fresh)


def list_page(
    tx: Connection, *, limit: int = 50, offset: int = 0, **filters: Unpack[Filters]
) -> tuple[list[Judgment], int]:
    """Judgments that pass every given filter, by query, overrides applied; and how many pass in all."""
    latest = overrides(tx)
    wanted = conditions(filters, _vetoes(latest))
    total = tx.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one()
    page = select(table).where(*wanted).order_by(*_ORDER).limit(limit).offset(offset)
    return _read(tx, tx.execute(page).all(), latest), total


def ids(tx: Connection, **filters: Unpack[Filters]) -> list[str]:
    """The ids of all that ``list_page`` would list, in its order."""
    wanted = conditions(filters, _vetoes(overrides(tx)))
    return list(tx.execute(select(table.c.id).where(*wanted).order_by(*_ORDER)).scalars())


def of_ids(tx: Connection, wanted: Sequence[str]) -> list[Judgment]:
    """Those of the ids that are there, in the order given, overrides applied."""
    rows = {
        row.id: row
        for start in range(0, len(wanted), _BATCH)
        for row in tx.execute(select(table).where(table.c.id.in_(wanted[start : start + _BATCH])))
    }
    return _read(tx, [rows[key] for key in wanted if key in rows], overrides(tx))


def actors(tx: Connection, limit: int = 200) -> list[tuple[str, int]]:
    """(actor, judgments that rest on them), most first."""
    names = func.json_each(table.c.actors).table_valued("value")
    name, n = names.c["value"], func.count()
    rows = tx.execute(
        select(name, n).select_from(table.join(names, true())).group_by(name).order_by(n.desc(), name).limit(limit)
    )
    return [(str(row[0]), int(row[1])) for row in rows]


def get(tx: Connection, judgment_id: str) -> Judgment:
    """Raises NotFound."""
    rows = tx.execute(select(table).where(table.c.id == judgment_id)).all()
    if not rows:
        raise NotFound(f"no judgment {judgment_id}")
    return _read(tx, rows, overrides(tx))[0]


def all_of(tx: Connection) -> list[Judgment]:
    """Every judgment, overrides applied."""
    return _read(tx, tx.execute(select(table).order_by(table.c.id)).all(), overrides(tx))


def by_signals(tx: Connection, signal_ids: Iterable[int]) -> list[Judgment]:
    """Judgments that any of the signals led to, overrides applied."""
    ids = sorted(set(signal_ids))
    rows: dict[str, Row[Any]] = {}
    for start in range(0, len(ids), _BATCH):
        found = tx.execute(
            select(table)
            .join(judgment_signals, judgment_signals.c.judgment_id == table.c.id)
            .where(judgment_signals.c.signal_id.in_(ids[start : start + _BATCH]))
        )
        rows.update((row.id, row) for row in found)
    return _read(tx, [rows[key] for key in sorted(rows)], overrides(tx)) if rows else []


def override(
    tx: Connection, judgment_id: str, action: str, relevance: float | None, actor: str, reason: str, now: datetime
) -> Override:
    """Veto, edit or restore a judgment. The latest override is in force: what is read here shows it at once.

    (A restored judgment gets the policy's own relevance back when the policy next runs.) Raises NotFound for an unknown
    judgment; InvalidInput for an unknown action, or an edit without a relevance in [0, 1].
    """
    get(tx, judgment_id)
    if action not in ("veto", "edit", "restore"):
        raise InvalidInput(f"unknown action {action!r}: expected veto, edit or restore")
    if action == "edit" and (relevance is None or not 0 <= relevance <= 1):
        raise InvalidInput("an edit needs a relevance from 0 to 1")
    if action != "edit" and relevance is not None:
        raise InvalidInput(f"{action} takes no relevance")
    row = tx.execute(
        insert(judgment_overrides)
        .values(
            judgment_id=judgment_id,
            action=action,
            relevance=relevance,
            actor=actor,
            reason=reason,
            created_at=now,
        )
        .returning(judgment_overrides)
    ).one()
    return _override(row)


def overrides(tx: Connection) -> dict[str, Override]:
    """Judgment id → the override in force; a restored judgment has none."""
    rows = tx.execute(select(judgment_overrides).order_by(judgment_overrides.c.id))
    latest = {row.judgment_id: _override(row) for row in rows}
    return {key: value for key, value in latest.items() if value.action != "restore"}


def _vetoes(latest: dict[str, Override]) -> list[str]:
    return [key for key, value in latest.items() if value.action == "veto"]


def _read(tx: Connection, rows: Sequence[Row[Any]], latest: dict[str, Override]) -> list[Judgment]:
    signals: defaultdict[str, list[int]] = defaultdict(list)
    ids = [row.id for row in rows]
    for start in range(0, len(ids), _BATCH):
        links = tx.execute(
            select(judgment_signals)
            .where(judgment_signals.c.judgment_id.in_(ids[start : start + _BATCH]))
            .order_by(judgment_signals.c.signal_id)
        )
        for link in links:
            signals[link.judgment_id].append(link.signal_id)
    return [_overridden(_judgment(row, signals[row.id]), latest.get(row.id)) for row in rows]


def _overridden(judgment: Judgment, found: Override | None) -> Judgment:
    if found is None:
        return replace(judgment, vetoed=False)
    if found.action == "veto":
        return replace(judgment, vetoed=True)
    assert found.relevance is not None
    return replace(judgment, vetoed=False, relevance=found.relevance)


def _values(judgment: Judgment) -> dict[str, Any]:
    return {
        "id": judgment.id,
        "group_id": judgment.group_id,
        "query": judgment.query,
        "content_hash": judgment.content_hash,
        "chunk_id": judgment.chunk_id,
        "relevance": judgment.relevance,
        "weight": judgment.weight,
        "strong": judgment.strong,
        "conflict": judgment.conflict,
        "vetoed": judgment.vetoed,
        "retired": judgment.retired,
        "sources": [source.value for source in judgment.sources],
        "reasons": list(judgment.reasons),
        "actors": list(judgment.actors),
    }


def _judgment(row: Row[Any], signal_ids: Sequence[int]) -> Judgment:
    return Judgment(
        id=row.id,
        group_id=row.group_id,
        query=row.query,
        content_hash=row.content_hash,
        chunk_id=row.chunk_id,
        relevance=row.relevance,
        weight=row.weight,
        strong=row.strong,
        sources=tuple(PairSource(source) for source in row.sources),
        reasons=tuple(row.reasons),
        signal_ids=tuple(signal_ids),
        actors=tuple(row.actors),
        conflict=row.conflict,
        vetoed=row.vetoed,
        retired=row.retired,
    )


def _override(row: Row[Any]) -> Override:
    return Override(row.judgment_id, row.action, row.relevance, row.actor, row.reason, row.created_at)
