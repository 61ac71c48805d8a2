"""Is the database sound? Asked by ``rankloop doctor`` and by whoever restores a backup."""

from __future__ import annotations

from sqlalchemy import Connection, text


def faults(tx: Connection) -> list[str]:
    """What SQLite's integrity and foreign-key checks complain of; empty when the database is sound."""
    found = [str(row[0]) for row in tx.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
    dangling = len(tx.execute(text("PRAGMA foreign_key_check")).all())
    if dangling:
        found.append(f"{dangling} dangling references")
    return found
