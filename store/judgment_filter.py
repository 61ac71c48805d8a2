"""Which judgments are meant: the filters that the list, its export and the admin calls share."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from sqlalchemy import ColumnElement, Text, func, select, type_coerce

from store.tables import chunks, repos
from store.tables import judgments as table
from store.types import PairSource

_VALUE = "value"


class Filters(TypedDict, total=False):
    """Every filter may be absent or None. ``search`` is a part of the query in any case; the names are whole names."""

    search: str | None
    group_id: int | None
    source: PairSource | None
    strong: bool | None
    conflict: bool | None
    retired: bool | None
    vetoed: bool | None
    repo: str | None
    actor: str | None


def conditions(filters: Filters, vetoes: Collection[str]) -> list[ColumnElement[bool]]:
    """What a row of the judgments must fulfil; ``vetoes`` are the ids of those that a person vetoed."""
    wanted: list[ColumnElement[bool]] = []
    if search := filters.get("search"):
        wanted.append(func.instr(func.lower(table.c.query), search.lower()) > 0)
    if (group_id := filters.get("group_id")) is not None:
        wanted.append(table.c.group_id == group_id)
    if (source := filters.get("source")) is not None:
        wanted.append(type_coerce(table.c.sources, Text).contains(f'"{source.value}"', autoescape=True))
    if (repo := filters.get("repo")) is not None:
        wanted.append(table.c.chunk_id.in_(select(chunks.c.id).join_from(chunks, repos).where(repos.c.name == repo)))
    if (actor := filters.get("actor")) is not None:
        names = func.json_each(table.c.actors).table_valued(_VALUE)
        wanted.append(select(names.c[_VALUE]).where(names.c[_VALUE] == actor).correlate(table).exists())
    flags = (
        (table.c.strong, filters.get("strong")),
        (table.c.conflict, filters.get("conflict")),
        (table.c.retired, filters.get("retired")),
    )
    wanted += [column.is_(flag) for column, flag in flags if flag is not None]
    if (vetoed := filters.get("vetoed")) is not None:
        wanted.append(table.c.id.in_(vetoes) if vetoed else table.c.id.not_in(vetoes))
    return wanted
