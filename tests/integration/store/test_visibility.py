"""Who may see which repository: the rule by itself, and as it is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import conversations, impressions, repos, visibility
from store.database import Database
from store.errors import InvalidInput, NotFound
from store.visibility import Readers, Viewer, may_see
from tests.integration.store.code import NOW, add_chunks, answer, candidates

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


def test_an_answer_is_hidden_with_an_earlier_one_of_its_conversation(db: Database) -> None:
    """A language model has read it. What was said before it, or elsewhere, stays."""
    with db.write() as tx:
        secret, shown = (candidates(add_chunks(tx, 2, repo=name)) for name in ("secret", "open"))
        for name in ("talk", "other"):
            conversations.create(tx, name, "ada", name, None, NOW)
        told = [
            ("before", 0, "talk", shown),
            ("quotes", 1, "talk", secret),
            ("repeats", 1, "talk", shown),
            ("after", 2, "talk", shown),
            ("elsewhere", 3, "other", shown),
            ("alone", 3, None, shown),
        ]
        for id_, minutes, conversation, found in told:
            at = NOW + timedelta(minutes=minutes)
            impressions.save(tx, answer(id_, at, conversation_id=conversation), found, 1)
        ids = [id_ for id_, *_ in told]
        assert visibility.hidden_answers(tx, ids, {"secret"}) == {"quotes", "repeats", "after"}
        assert visibility.hidden_answers(tx, ["after", "alone"], {"secret"}) == {"after"}
        assert visibility.hidden_answers(tx, ids, {"open"}) == set(ids)
        assert visibility.hidden_answers(tx, ids, set()) == set()
        with pytest.raises(NotFound):
            visibility.check_answer(tx, "after", {"secret"})


def test_a_search_of_conversations_looks_into_no_hidden_answer(db: Database) -> None:
    with db.write() as tx:
        found = candidates(add_chunks(tx, 1, repo="secret"))
        conversations.create(tx, "talk", "ada", "Seals", None, NOW)
        record = answer("quotes", conversation_id="talk", question="How?", answer="By rotate_vault [1].")
        impressions.save(tx, record, found, 1)
        follows = answer("after", NOW + timedelta(minutes=1), (), conversation_id="talk", answer="As said: zanzibar.")
        impressions.save(tx, follows, [], 0)

        def finds(words: str, hidden: set[str]) -> bool:
            return bool(conversations.list_for(tx, "ada", words, 10, hidden))

        assert [finds(words, set()) for words in ("rotate_vault", "zanzibar", "How?", "seals")] == [True] * 4
        assert not finds("rotate_vault", {"secret"})
        assert not finds("zanzibar", {"secret"})
        assert finds("how?", {"secret"}), "what they asked is theirs"
        assert finds("seals", {"secret"})
