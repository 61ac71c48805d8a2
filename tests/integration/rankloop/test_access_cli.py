"""Who may see a repository, and tokens for scripts, from the terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from store import sessions, visibility
from store.visibility import Viewer
from tests.integration.rankloop.conftest import Desk


def test_a_repository_is_limited_shown_and_opened(desk: Desk) -> None:
    assert desk.says("repos", "show", "shop").strip() == "shop: everybody who may ask sees it."
    only = "shop: only person ada, group core, group web, administrators."
    assert desk.says("repos", "limit", "shop", "--group", "web", "--group", "core", "--person", "ada").strip() == only
    assert desk.says("repos", "show", "shop").strip() == only
    db = desk.database()
    with db.read() as tx:
        assert visibility.hidden(tx, Viewer("bo")) == {"shop"}
    assert desk.says("repos", "limit", "shop").strip() == "shop: only administrators."
    assert "everybody" in desk.says("repos", "open", "shop")
    with db.read() as tx:
        assert visibility.hidden(tx, Viewer("bo")) == frozenset()
    db.dispose()
    assert "no repository 'none'" in desk.refuses("repos", "limit", "none")


def test_a_token_for_a_script(desk: Desk) -> None:
    token = desk.says("token", "ci", "--role", "user", "--group", "web", "--days", "2").strip()
    db = desk.database()
    with db.read() as tx:
        found = sessions.lookup(tx, token, datetime.now(UTC) + timedelta(days=2, minutes=-1))
        assert found is not None
        assert (found.actor, found.role, found.groups) == ("ci", "user", ("web",))
        assert sessions.lookup(tx, token, datetime.now(UTC) + timedelta(days=2)) is None
    db.dispose()
    assert "another name" in desk.refuses("token", "admin")
    assert desk.says("sign-out", "nobody").strip() == "nobody: 0 sessions and tokens ended."
    assert desk.says("sign-out", "ci").strip() == "ci: 1 sessions and tokens ended."
    db = desk.database()
    with db.read() as tx:
        assert sessions.lookup(tx, token, datetime.now(UTC)) is None
    db.dispose()
    assert desk.run("token", "ci", "--role", "owner").exit_code == 2
