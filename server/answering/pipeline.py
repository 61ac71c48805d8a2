"""From a question to a stored answer: search, write, store. One path for search, answer and chat."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

import anyio.to_thread

from server.answering import extractive
from server.answering.citations import CitationFilter
from server.answering.llm import LanguageModel
from server.answering.rewrite import search_query
from server.answering.sources import Source, sources_of
from server.retrieval.pool import WorkPool
from server.retrieval.search import Found, Search
from store import conversations, impressions, visibility
from store.database import Database
from store.errors import Unavailable
from store.loading import LoadedVersion
from store.types import AnswerKind, AnswerRecord

TITLE = 80
_PIECE = re.compile(r"(?:\S+\s*){1,6}|\s+")
_FALLBACK = "*The language model did not answer, so this is what the search found.*\n\n"
_BROKEN_OFF = "\n\n*The language model broke off here. This is what the search found:*\n\n"


@dataclass(frozen=True, slots=True)
class Ask:
    """A question as it came in. ``actor`` asks, ``hidden`` repositories are not for them; ``logged`` False leaves no
    trace."""

    kind: AnswerKind
    question: str
    repo: str | None
    actor: str
    top_k: int
    depth: int
    logged: bool = True
    hidden: frozenset[str] = frozenset()
    rerank: bool = True
    conversation_id: str | None = None
    inherit_repo: bool = False
    """Take the conversation's repository where the question names none."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question with what was found for it, ready to be written."""

    ask: Ask
    answer_id: str | None
    conversation_id: str | None
    new_conversation: bool
    repo: str | None
    found: Found
    sources: tuple[Source, ...]
    earlier: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Draft:
    """An answer while it is written. ``text`` is what the reader has seen."""

    text: str = ""
    cited: tuple[int, ...] = ()
    generator: str = ""
    milliseconds: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    @property
    def citations(self) -> tuple[int, ...]:
        """The cited sources whose citation has been written already."""
        return tuple(n for n in self.cited if f"[{n}]" in self.text)


class Answering:
    """Answers questions. ``clock`` gives the present moment in UTC."""

    def __init__(
        self,
        db: Database,
        search: Search,
        pool: WorkPool,
        model: LanguageModel | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._search = search
        self._pool = pool
        self._model = model
        self._clock = clock

    async def prepare(self, ask: Ask) -> Prepared:
        """Search for a question; cancelled, it leaves the queue.

        Raises NotFound for an unknown repository or conversation, Busy when overloaded.
        """
        loaded = self._search.version(ask.rerank)
        repo, earlier = await anyio.to_thread.run_sync(self._context, ask)
        query = search_query(ask.question, [question for question, _ in earlier])
        given_up = Event()
        try:
            found, sources = await self._pool.run(self._find, query, repo, ask, loaded, given_up)
        except asyncio.CancelledError:
            given_up.set()
            raise
        chat = ask.kind is AnswerKind.CHAT and ask.logged
        new = chat and ask.conversation_id is None
        return Prepared(
            ask=ask,
            answer_id=uuid.uuid4().hex if ask.logged else None,
            conversation_id=uuid.uuid4().hex if new else ask.conversation_id,
            new_conversation=new,
            repo=repo,
            found=found,
            sources=sources,
            earlier=tuple(earlier),
        )

    async def write(self, prepared: Prepared, draft: Draft) -> AsyncGenerator[str, None]:
        """Pieces of the answer as they come; ``draft`` holds what has been given out, whenever the reader leaves."""
        lead = ""
        if self._model is not None and prepared.sources:
            try:
                async with aclosing(self._by_model(self._model, prepared, draft)) as pieces:
                    async for piece in pieces:
                        yield piece
            except Unavailable:
                lead = _BROKEN_OFF
            if draft.text and not lead:
                draft.milliseconds = _ms(draft.started)
                return
            lead = lead if draft.text else _FALLBACK
        found = prepared.found
        text, cited = await anyio.to_thread.run_sync(
            extractive.write, found.query, prepared.sources, prepared.repo, found.candidates
        )
        draft.generator = extractive.GENERATOR
        draft.cited = tuple(dict.fromkeys((*draft.cited, *cited)))
        for piece in _PIECE.findall(lead + text):
            draft.text += piece
            yield piece
        draft.milliseconds = _ms(draft.started)

    async def store(self, prepared: Prepared, draft: Draft) -> None:
        """Store the answer with its whole impression, in one transaction. Nothing for a question that is not logged."""
        if prepared.answer_id is not None:
            await anyio.to_thread.run_sync(self._store, prepared, draft)

    @staticmethod
    def timings(prepared: Prepared, draft: Draft) -> dict[str, float]:
        """Milliseconds by stage."""
        return {**prepared.found.timings, "write": draft.milliseconds}

    async def _by_model(self, model: LanguageModel, prepared: Prepared, draft: Draft) -> AsyncGenerator[str, None]:
        draft.generator = model.name
        checked = CitationFilter(len(prepared.sources))
        async with aclosing(model.write(prepared.ask.question, prepared.earlier, prepared.sources)) as pieces:
            async for piece in pieces:
                shown = checked.feed(piece)
                draft.text += shown
                draft.cited = checked.cited
                if shown:
                    yield shown
        rest = checked.end()
        draft.text += rest
        if rest:
            yield rest

    def _find(
        self, query: str, repo: str | None, ask: Ask, loaded: LoadedVersion, given_up: Event
    ) -> tuple[Found, tuple[Source, ...]]:
        found = self._search.find(query, repo, ask.depth, loaded, ask.hidden, given_up)
        return found, sources_of(query, found.candidates[: ask.top_k])

    def _context(self, ask: Ask) -> tuple[str | None, list[tuple[str, str]]]:
        if ask.conversation_id is None:
            return ask.repo, []
        with self._db.read() as tx:
            conversation = conversations.get(tx, ask.conversation_id, ask.actor)
            turns = conversations.turns(tx, ask.conversation_id)
            gone = visibility.hidden_answers(tx, [turn.answer_id for turn in turns], ask.hidden)
        repo = conversation.repo if ask.inherit_repo else ask.repo
        return repo, [(turn.question, turn.answer) for turn in turns if turn.answer_id not in gone]

    def _store(self, prepared: Prepared, draft: Draft) -> None:
        ask, now = prepared.ask, self._clock()
        assert prepared.answer_id is not None
        record = AnswerRecord(
            id=prepared.answer_id,
            kind=ask.kind,
            query=prepared.found.query,
            question=ask.question,
            repo=prepared.repo,
            actor=ask.actor,
            answer=draft.text,
            citations=draft.citations,
            generator=draft.generator,
            model_version=prepared.found.model_version,
            created_at=now,
            conversation_id=prepared.conversation_id,
            timings=self.timings(prepared, draft),
        )
        with self._db.write() as tx:
            if prepared.new_conversation and prepared.conversation_id is not None:
                conversations.create(tx, prepared.conversation_id, ask.actor, title(ask.question), prepared.repo, now)
            impressions.save(tx, record, prepared.found.candidates, len(prepared.sources))


def title(question: str) -> str:
    """A conversation's first title: the beginning of its first question, on one line."""
    flat = " ".join(question.split())
    return flat if len(flat) <= TITLE else flat[: TITLE - 1].rstrip() + "…"


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
