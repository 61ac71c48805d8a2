from __future__ import annotations

import pytest

from store.batches import PARAMETERS, batches
from store.checks import clean
from store.errors import InvalidInput
from store.queries import normalise
from store.sessions import hash_token
from store.texts import content_hash


@pytest.mark.parametrize("text", ["", "plain", "\n\t", "😀", "\ufeff", "\U0010ffff"])
def test_text_that_can_be_stored_is_left_alone(text: str) -> None:
    assert clean(text, "the note") == text


@pytest.mark.parametrize(
    ("text", "why"), [("a\x00b", "NUL"), ("\ud800", "surrogate"), ("ok \udfff", "surrogate"), ("x" * 11, "11 char")]
)
def test_text_that_cannot_is_refused_by_name(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=f"the note .*{why}"):
        clean(text, "the note", 10)


def test_a_content_hash_is_the_sha256_of_utf8() -> None:
    assert content_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(InvalidInput):
        content_hash("\ud800")


def test_any_token_has_a_hash() -> None:
    assert hash_token("\ud800") != hash_token("")


def test_batches_keep_order_and_drop_repeats() -> None:
    items = list(range(2 * PARAMETERS + 1))
    found = list(batches([*items, *items]))
    assert [len(batch) for batch in found] == [PARAMETERS, PARAMETERS, 1]
    assert [item for batch in found for item in batch] == items
    assert list(batches([])) == []


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ("Where is it?", "where is it"),
        ("  where\n is\tit ?! ", "where is it"),
        ("ＷＨＥＲＥ is it", "where is it"),
        ("STRASSE", "straße"),
    ],
)
def test_queries_that_differ_in_form_only_are_one(asked: str, same: str) -> None:
    assert normalise(asked) == normalise(same)
    assert normalise(normalise(asked)) == normalise(asked)


def test_queries_that_differ_in_meaning_stay_two() -> None:
    assert normalise("a.b") != normalise("ab")
    assert normalise("read file") != normalise("readfile")
