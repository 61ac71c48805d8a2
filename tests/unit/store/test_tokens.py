from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.tokens import LONGEST, code_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("get", ["get"]),
        ("Get", ["get"]),
        ("getUser", ["getuser", "get", "user"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("userID", ["userid", "user", "id"]),
        ("snake_case", ["snake_case", "snake", "case"]),
        ("__init__", ["__init__", "init"]),
        ("_private", ["_private", "private"]),
        ("sha256", ["sha256", "sha", "256"]),
        ("MAX_SIZE", ["max_size", "max", "size"]),
        ("a.b(c)", ["a", "b", "c"]),
        ("Größe_2", ["größe_2", "größe", "2"]),
        ("用户", ["用户"]),
        ("_ __ -- \x00 \ud800", []),
        ("", []),
    ],
)
def test_identifiers_are_found_whole_and_in_parts(text: str, tokens: list[str]) -> None:
    assert code_tokens(text) == tokens


def test_data_is_no_name_but_its_words_are() -> None:
    long_name = "_".join(["word"] * LONGEST)
    assert code_tokens(long_name) == ["word"] * LONGEST
    assert code_tokens("a" * (LONGEST + 1)) == []
    assert code_tokens("a" * LONGEST) == ["a" * LONGEST]


@given(st.text())
def test_tokens_of_any_text_can_be_stored_and_quoted(text: str) -> None:
    for token in code_tokens(text):
        assert token
        assert not set(token) & set('"\x00 ')
        token.encode()
