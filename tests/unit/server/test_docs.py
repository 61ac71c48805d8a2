"""Docstrings and doc comments become questions that name the chunk of their definition."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from server.indexing.docs import first_sentence
from server.indexing.general import questions

SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Reads the file and returns its lines. Slowly.", "Reads the file and returns its lines"),
        ("\n    Reads the file\n    and returns its lines\n\n    More.", "Reads the file and returns its lines"),
        ("/**\n * Shows one user by number.\n * @param id\n */", "Shows one user by number"),
        ("/// <summary>Adds an order to the store.</summary>", "Adds an order to the store"),
        ("// {@link Queue} is a bounded queue of jobs", "Queue is a bounded queue of jobs"),
        ("Too short here.", None),
        ("Copyright 2020 by the authors of this file", None),
        ("TODO make this a lot faster some day", None),
        ("See https://example.org/ for all of the details", None),
        ("word " * 40, None),
        ("", None),
    ],
)
def test_the_first_sentence(said: str, sentence: str | None) -> None:
    assert first_sentence(said) == sentence


def test_each_question_names_the_chunk_that_holds_its_definition() -> None:
    text = (SAMPLES / "shop.go").read_text()
    found = questions("shop.go", text)
    assert [query.split()[0] for query, *_ in found] == ["Queue", "New", "Push"]
    push = "\n".join(text.split("\n")[22:34])
    assert found[2] == (found[2][0], "shop.go", sha256(push.encode()).hexdigest())


def test_documents_ask_nothing() -> None:
    assert questions("a.md", "# A heading of four words\n\nIt does a lot of things.") == []
