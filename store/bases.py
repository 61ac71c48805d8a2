"""Which base the settings name and whether it is registered: what server and doctor ask without loading one."""

from __future__ import annotations

from store import meta, registry
from store.database import Connection
from store.types import Json, Version

RESIDUAL = "residual"
"""The packaged encoder with a head that starts at zero: it ranks as the first stage until ratings teach it."""
FAULT = "base_fault"
"""Meta key: ``{"base", "reason"}`` of the last attempt that failed; None once one has succeeded."""
ORIGIN: Json = {"kind": "base"}
"""``metrics["origin"]`` of a version that is a base as it came."""


def registered(tx: Connection, base: str) -> Version | None:
    """The version that is the base of this name as it came."""
    versions = registry.list_all(tx, limit=100_000)
    return next((one for one in versions if one.base == base and one.metrics.get("origin") == ORIGIN), None)


def fault(tx: Connection, base: str) -> str | None:
    """Why the base of this name could not be registered at the last attempt."""
    last = meta.get(tx, FAULT)
    return str(last["reason"]) if last is not None and last["base"] == base else None
