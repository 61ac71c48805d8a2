"""Sign-in: sessions, one-time links and the admin token. The database holds only hashes of tokens."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection, Row

from store import meta
from store.checks import clean
from store.database import Database
from store.errors import InvalidInput, Unavailable
from store.private import make_private
from store.settings import Settings
from store.tables import sessions
from store.types import Role

OPERATOR = "admin"
"""Whoever signs in by the admin token or the first link: a role without a name."""
ADMIN_TOKEN_FILE = "admin-token"
_ADMIN_HASH = "admin_token_hash"
_ADMIN_IN_FILE = "admin_token_in_file"
_BYTES = 32

Kind = Literal["session", "link"]


@dataclass(frozen=True, slots=True)
class SessionRow:
    kind: Kind
    actor: str
    role: str
    created_at: datetime
    expires_at: datetime
    groups: tuple[str, ...] = ()


def hash_token(token: str) -> str:
    """sha256 hex of a token; any string has one. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def create(
    tx: Connection, kind: Kind, actor: str, role: str, ttl: timedelta, now: datetime, groups: Iterable[str] = ()
) -> str:
    """Make a session, or a link that makes one once; returns its token, which is kept nowhere else."""
    token = secrets.token_urlsafe(_BYTES)
    tx.execute(delete(sessions).where(sessions.c.expires_at <= now))
    values = {"kind": kind, "actor": clean(actor, "the name", 200), "role": _role(role)}
    named = [clean(group, "a group", 200) for group in groups]
    row = values | {"groups": named, "created_at": now, "expires_at": now + ttl}
    tx.execute(insert(sessions).values(token_hash=hash_token(token), **row))
    return token


def rotate(
    tx: Connection,
    old: str | None,
    actor: str,
    role: str,
    ttl: timedelta,
    now: datetime,
    groups: Iterable[str] = (),
) -> str:
    """A new session in place of the one that the browser had, which ends: a token from before signing in is worthless
    afterwards."""
    if old:
        revoke(tx, old)
    return create(tx, "session", actor, role, ttl, now, groups)


def lookup(tx: Connection, token: str, now: datetime) -> SessionRow | None:
    """The session of a token; None when it is unknown, has ended, or is a link."""
    valid = (
        (sessions.c.token_hash == hash_token(token)) & (sessions.c.kind == "session") & (sessions.c.expires_at > now)
    )
    return _session(tx.execute(select(sessions).where(valid)).one_or_none())


def consume_link(tx: Connection, token: str, now: datetime) -> SessionRow | None:
    """Use up a one-time link; None when it is unknown, was used, or has expired."""
    valid = (sessions.c.token_hash == hash_token(token)) & (sessions.c.kind == "link") & (sessions.c.expires_at > now)
    return _session(tx.execute(delete(sessions).where(valid).returning(sessions)).one_or_none())


def revoke(tx: Connection, token: str) -> None:
    """End a session or link; an unknown token is ignored."""
    tx.execute(delete(sessions).where(sessions.c.token_hash == hash_token(token)))


def revoke_all(tx: Connection, actor: str, now: datetime) -> int:
    """End everything that somebody is signed in by, unused links included; how much of it was still valid."""
    held = sessions.c.actor == actor
    valid = tx.execute(select(func.count()).where(held & (sessions.c.expires_at > now))).scalar_one()
    tx.execute(delete(sessions).where(held))
    return int(valid)


def ensure_admin_token(db: Database, settings: Settings) -> Path | None:
    """Make the admin token valid: the one of the settings, else the one in the data directory, made at first start.

    With another token than before, whoever signed in by that one is signed out.

    Returns the file (mode 0600) that holds it, or None when the settings do. Raises InvalidInput for an empty
    token in the settings, Unavailable when the file can't be read or written.
    """
    path: Path | None = None
    if settings.admin_token is not None:
        token = settings.admin_token.get_secret_value()
        if not token.strip():
            raise InvalidInput("RANKLOOP_ADMIN_TOKEN is empty; unset it, or give a token")
    else:
        path = settings.data / ADMIN_TOKEN_FILE
        token = _token_in(path)
    with db.write() as tx:
        if meta.get(tx, _ADMIN_HASH) != hash_token(token):
            meta.put(tx, _ADMIN_HASH, hash_token(token))
            tx.execute(delete(sessions).where(sessions.c.actor == OPERATOR))
        if meta.get(tx, _ADMIN_IN_FILE) != (path is not None):
            meta.put(tx, _ADMIN_IN_FILE, path is not None)
    return path


def admin_token_is_kept(tx: Connection) -> bool:
    """Whether the admin token that is valid now was read from its file, not from the settings."""
    return meta.get(tx, _ADMIN_IN_FILE) is True


def is_admin_token(tx: Connection, token: str) -> bool:
    """Whether ``token`` is the admin token, compared in constant time."""
    expected = meta.get(tx, _ADMIN_HASH)
    return isinstance(expected, str) and hmac.compare_digest(expected, hash_token(token))


def _token_in(path: Path) -> str:
    try:
        make_private(path.parent)
        if path.is_file() and (token := path.read_text().strip()):
            path.chmod(0o600)
            return token
        token = secrets.token_urlsafe(_BYTES)
        # Written beside and renamed: a file that exists is complete, and nobody else could read it meanwhile.
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"can't read or write the admin token in {path}: {error}") from error
    return token


def _role(role: str) -> str:
    if role not in set(Role):
        raise InvalidInput(f"a role is one of {', '.join(Role)}, not {role!r:.40}")
    return role


def _session(row: Row[*tuple[Any, ...]] | None) -> SessionRow | None:
    if row is None:
        return None
    return SessionRow(row.kind, row.actor, row.role, row.created_at, row.expires_at, tuple(row.groups))
