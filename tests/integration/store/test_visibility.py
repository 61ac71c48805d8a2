"""Who may see which repository: the rule by itself, and as it is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import repos, visibility
from store.database import Database
from store.errors import InvalidInput, NotFound
from store.visibility import Readers, Viewer, may_see
from tests.integration.store.code import NOW

NAMES = st.frozensets(st.sampled_from(["ada", "bo", "cy", "core", "web"]))


@given(NAMES, NAMES, NAMES, st.sampled_from([None, "ada", "bo", "core"]))
def test_the_rule(people: frozenset[str], groups: frozenset[str], mine: frozenset[str], person: str | None) -> None:
    readers = Readers(True, people, groups)
    assert may_see(Viewer(person, mine), readers) == (person in people or bool(mine & groups))
    assert may_see(Viewer(person, mine), Readers(False, people, groups))
    assert may_see(Viewer(person, mine, admin=True), readers)


def test_a_group_s_name_is_no_person_s(db: Database) -> None:
    assert not may_see(Viewer("core"), Readers(True, groups=frozenset({"core"})))
    assert not may_see(Viewer("ada", frozenset({"bo"})), Readers(True, people=frozenset({"bo"})))


def test_what_is_kept_is_what_was_said(db: Database) -> None:
    with db.write() as tx:
        for name in ("open", "secret", "gone"):
            repos.add(tx, name, f"/{name}", NOW)
        assert visibility.readers_of(tx, "secret") == Readers()
        said = Readers(True, frozenset({"ada"}), frozenset({"core"}))
        assert visibility.limit(tx, "secret", said) == said
        assert visibility.limit(tx, "gone", Readers(True)) == Readers(True)
        repos.remove(tx, "gone", NOW)
        assert visibility.hidden(tx, Viewer()) == {"secret", "gone"}
        assert visibility.hidden(tx, Viewer("ada")) == {"gone"}
        assert visibility.hidden(tx, Viewer("bo", frozenset({"core"}))) == {"gone"}
        assert visibility.hidden(tx, Viewer(admin=True)) == frozenset()
        # Added again under its name, it is still nobody's: what was judged in it was theirs.
        repos.add(tx, "gone", "/elsewhere", NOW)
        assert visibility.hidden(tx, Viewer("ada")) == {"gone"}
        assert visibility.limit(tx, "secret", Readers()) == Readers()
        assert visibility.hidden(tx, Viewer()) == {"gone"}


def test_unusable_names_and_unknown_repositories_are_refused(db: Database) -> None:
    with db.write() as tx:
        repos.add(tx, "secret", "/secret", NOW)
        for name in ("x" * 201, "\0", "\ud800"):
            with pytest.raises(InvalidInput):
                visibility.limit(tx, "secret", Readers(True, frozenset({name})))
        with pytest.raises(NotFound, match="no repository 'none'"):
            visibility.limit(tx, "none", Readers(True))
        with pytest.raises(NotFound, match="no repository 'secret'"):
            visibility.check_repo("secret", {"secret"})
        visibility.check_repo("open", {"secret"})
        visibility.check_repo(None, {"secret"})
