from __future__ import annotations

from datetime import timedelta

import pytest

from store import conversations, impressions
from store.database import Database
from store.errors import Conflict, InvalidInput, NotFound
from tests.integration.store.code import NOW, answer

LATER = NOW + timedelta(hours=1)


def titles(found: list[conversations.Conversation]) -> list[str]:
    return [conversation.title for conversation in found]


def test_turns_come_in_the_order_they_were_asked(db: Database) -> None:
    with db.write() as tx:
        conversations.create(tx, "c1", "ada", "Basket", "shop", NOW)
        for id_, minutes in (("second", 2), ("first", 1)):
            record = answer(
                id_, NOW + timedelta(minutes=minutes), (), conversation_id="c1", question=f"{id_}?", answer=f"{id_}!"
            )
            impressions.save(tx, record, [], 0)
        impressions.save(tx, answer("elsewhere", citations=()), [], 0)
        turns = conversations.turns(tx, "c1")
    assert turns == [conversations.Turn(f"{id_}?", f"{id_}!", id_) for id_ in ("first", "second")]


def test_the_last_used_is_listed_first_to_its_owner_only(db: Database) -> None:
    with db.write() as tx:
        for number, title in enumerate(("old", "new", "newest")):
            conversations.create(tx, title, "ada", title, None, NOW + timedelta(minutes=number))
        conversations.create(tx, "bobs", "bob", "bobs", None, NOW)
        impressions.save(tx, answer("a1", LATER, (), conversation_id="old"), [], 0)
        assert titles(conversations.list_for(tx, "ada", None, 10)) == ["old", "newest", "new"]
        assert titles(conversations.list_for(tx, "ada", None, 1)) == ["old"]
        with pytest.raises(NotFound):
            conversations.get(tx, "bobs", "ada")


def test_a_search_looks_in_titles_questions_and_answers_as_plain_text(db: Database) -> None:
    with db.write() as tx:
        conversations.create(tx, "c1", "ada", "100% cotton", None, NOW)
        conversations.create(tx, "c2", "ada", "Basket", None, NOW)
        record = answer("a1", citations=(), conversation_id="c2", question="Where is Paid set?", answer="In pay_now.")
        impressions.save(tx, record, [], 0)
        for search, found in {
            "COTTON": ["100% cotton"],
            "100%": ["100% cotton"],
            "0_c": [],
            "%": ["100% cotton"],
            "where is paid": ["Basket"],
            "pay_now": ["Basket"],
            "nothing": [],
        }.items():
            assert titles(conversations.list_for(tx, "ada", search, 10)) == found, search
        assert len(conversations.list_for(tx, "ada", "  ", 10)) == 2
        with pytest.raises(InvalidInput):
            conversations.list_for(tx, "ada", "\x00", 10)


def test_renaming_and_deleting_are_the_owner_s(db: Database) -> None:
    with db.write() as tx:
        conversations.create(tx, "c1", "ada", "Basket", None, NOW)
        impressions.save(tx, answer("a1", citations=(), conversation_id="c1"), [], 0)
        assert conversations.rename(tx, "c1", "ada", "  My\n basket ", LATER).title == "My basket"
        for act in (
            lambda: conversations.rename(tx, "c1", "bob", "mine", LATER),
            lambda: conversations.delete(tx, "c1", "bob", LATER),
        ):
            with pytest.raises(NotFound):
                act()
        conversations.delete(tx, "c1", "ada", LATER)
        assert conversations.list_for(tx, "ada", None, 10) == []
        with pytest.raises(NotFound):
            conversations.get(tx, "c1", "ada")
        assert impressions.get_answer(tx, "a1").conversation_id == "c1", "its answers and their ratings stay"
        with pytest.raises(Conflict):
            conversations.create(tx, "c1", "ada", "again", None, LATER)


def test_a_title_is_one_line_of_text(db: Database) -> None:
    with db.write() as tx:
        made = conversations.create(tx, "c1", "ada", "x" * 1_000, None, NOW)
        assert made.title == "x" * conversations.TITLE_CHARACTERS
        for bad in ("", " \n", "a\x00", "\ud800"):
            with pytest.raises(InvalidInput):
                conversations.create(tx, "c2", "ada", bad, None, NOW)
