"""The language model's patience, against a real socket."""

from __future__ import annotations

import asyncio

import pytest

from server.answering.llm import LanguageModel
from store.errors import Unavailable
from tests.integration.server.support import FakeModel, fake_model


def said(fake: FakeModel, timeout: float) -> str:
    async def ask() -> str:
        model = LanguageModel(fake.url, "none", "m", timeout)
        try:
            return "".join([piece async for piece in model.write("what?", [], [])])
        finally:
            await model.close()

    return asyncio.run(ask())


def test_a_model_that_drips_without_a_word_is_given_up() -> None:
    with fake_model() as fake:
        fake.says, fake.pause = [""] * 60, 0.2
        with pytest.raises(Unavailable, match="said nothing for 2 s"):
            said(fake, timeout=2)


def test_a_slow_writer_may_take_longer_than_the_first_word() -> None:
    with fake_model() as fake:
        fake.says, fake.pause = ["word "] * 20, 0.2
        assert said(fake, timeout=3) == "word " * 20


def test_a_failing_model_is_asked_once() -> None:
    with fake_model() as fake:
        fake.status = 500
        with pytest.raises(Unavailable):
            said(fake, timeout=30)
        assert len(fake.asked) == 1
