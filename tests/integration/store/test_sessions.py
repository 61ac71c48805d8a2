from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from store import sessions
from store.database import Database
from store.errors import InvalidInput, Unavailable
from store.settings import Settings
from tests.integration.store.code import NOW

HOUR = timedelta(hours=1)


def test_a_session_holds_until_it_ends(db: Database) -> None:
    with db.write() as tx:
        token = sessions.create(tx, "session", "ada", "admin", HOUR, NOW)
    with db.read() as tx:
        found = sessions.lookup(tx, token, NOW + HOUR - timedelta(seconds=1))
        assert found == sessions.SessionRow("session", "ada", "admin", NOW, NOW + HOUR)
        assert sessions.lookup(tx, token, NOW + HOUR) is None
        for wrong in ("", token[:-1], token + "x", "\ud800", "\x00"):
            assert sessions.lookup(tx, wrong, NOW) is None


def test_signing_out_ends_a_session(db: Database) -> None:
    with db.write() as tx:
        mine, other = (sessions.create(tx, "session", "ada", "admin", HOUR, NOW) for _ in range(2))
        assert mine != other
        sessions.revoke(tx, mine)
        sessions.revoke(tx, "unknown")
        assert sessions.lookup(tx, mine, NOW) is None
        assert sessions.lookup(tx, other, NOW) is not None


def test_a_link_works_once_and_is_no_session(db: Database) -> None:
    with db.write() as tx:
        link = sessions.create(tx, "link", "ada", "admin", HOUR, NOW)
        session = sessions.create(tx, "session", "ada", "admin", HOUR, NOW)
        assert sessions.lookup(tx, link, NOW) is None
        assert sessions.consume_link(tx, session, NOW) is None
        used = sessions.consume_link(tx, link, NOW)
        assert used is not None
        assert used.actor == "ada"
        assert sessions.consume_link(tx, link, NOW) is None
        late = sessions.create(tx, "link", "ada", "admin", HOUR, NOW)
        assert sessions.consume_link(tx, late, NOW + HOUR) is None


def test_the_database_holds_no_token(db: Database, tmp_path: Path) -> None:
    sessions.ensure_admin_token(db, Settings(data=tmp_path))
    with db.write() as tx:
        tokens = [sessions.create(tx, kind, "ada", "admin", HOUR, NOW) for kind in ("session", "link")]
        stored = [str(row) for row in tx.execute(text("SELECT * FROM sessions"))]
        stored += [str(row) for row in tx.execute(text("SELECT * FROM meta"))]
    tokens.append((tmp_path / "admin-token").read_text().strip())
    assert not [token for token in tokens if any(token in row for row in stored)]


def test_ended_sessions_are_cleared_away(db: Database) -> None:
    with db.write() as tx:
        sessions.create(tx, "session", "ada", "admin", HOUR, NOW)
        sessions.create(tx, "session", "ada", "admin", HOUR, NOW + 2 * HOUR)
        assert tx.execute(text("SELECT count(*) FROM sessions")).scalar() == 1


def test_the_admin_token_is_made_once_for_its_owner_s_eyes(db: Database, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "fresh")
    with db.read() as tx:
        assert not sessions.is_admin_token(tx, "")
    path = sessions.ensure_admin_token(db, settings)
    assert path == tmp_path / "fresh" / "admin-token"
    token = path.read_text().strip()
    assert len(token) >= 43, "32 random bytes"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sessions.ensure_admin_token(db, settings) == path
    assert path.read_text().strip() == token
    assert sorted(p.name for p in path.parent.iterdir()) == ["admin-token"]
    with db.read() as tx:
        assert sessions.is_admin_token(tx, token)
        for wrong in ("", token[:-1], token.upper(), "\ud800", sessions.hash_token(token)):
            assert not sessions.is_admin_token(tx, wrong)


def test_a_token_file_open_to_others_is_closed_and_an_empty_one_filled(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "admin-token"
    file.write_text("my own token\n")
    file.chmod(0o644)
    sessions.ensure_admin_token(db, Settings(data=tmp_path))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with db.read() as tx:
        assert sessions.is_admin_token(tx, "my own token")
    file.write_text("")
    sessions.ensure_admin_token(db, Settings(data=tmp_path))
    assert file.read_text().strip()
    with db.read() as tx:
        assert not sessions.is_admin_token(tx, "")
        assert not sessions.is_admin_token(tx, "my own token")


def test_a_token_of_the_settings_replaces_the_file_s(db: Database, tmp_path: Path) -> None:
    sessions.ensure_admin_token(db, Settings(data=tmp_path))
    made = (tmp_path / "admin-token").read_text().strip()
    assert sessions.ensure_admin_token(db, Settings(data=tmp_path, admin_token=SecretStr("from settings"))) is None
    with db.read() as tx:
        assert sessions.is_admin_token(tx, "from settings")
        assert not sessions.is_admin_token(tx, made)
    with pytest.raises(InvalidInput, match="RANKLOOP_ADMIN_TOKEN"):
        sessions.ensure_admin_token(db, Settings(data=tmp_path, admin_token=SecretStr(" ")))


def test_another_admin_token_ends_what_the_old_one_signed_in(db: Database, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    sessions.ensure_admin_token(db, settings)
    with db.write() as tx:
        held = [sessions.create(tx, "session", name, "admin", HOUR, NOW) for name in (sessions.OPERATOR, "ada")]
        link = sessions.create(tx, "link", sessions.OPERATOR, "admin", HOUR, NOW)
    sessions.ensure_admin_token(db, settings)
    with db.read() as tx:
        assert all(sessions.lookup(tx, token, NOW) for token in held), "the same token changes nothing"
    sessions.ensure_admin_token(db, Settings(data=tmp_path, admin_token=SecretStr("a new one, since it leaked")))
    with db.write() as tx:
        assert [sessions.lookup(tx, token, NOW) is not None for token in held] == [False, True]
        assert sessions.consume_link(tx, link, NOW) is None


def test_a_token_file_that_cannot_be_is_unavailable(db: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="admin token"):
        sessions.ensure_admin_token(db, Settings(data=tmp_path / "file"))
