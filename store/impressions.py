"""Answers and their impressions: every candidate that was scored, as it was scored, shown and cited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, Row

from store.batches import batches
from store.checks import clean
from store.errors import Conflict, InvalidInput, NotFound
from store.tables import answers, conversations, impressions
from store.types import AnswerKind, AnswerRecord, Candidate, Impression, ImpressionRow

PAGE = 200


def save(tx: Connection, record: AnswerRecord, candidates: Sequence[Candidate], shown: int) -> None:
    """Store an answer with its impression, in the caller's one transaction.

    The first ``shown`` candidates by rank were shown; ``record.citations`` are 1-based numbers into these.
    Raises InvalidInput for text that can't be stored, a citation of something that was not shown, or a chunk
    that is there twice; NotFound for an unknown conversation, Conflict for an answer that exists already.
    """
    ranked = sorted(candidates, key=lambda candidate: candidate.rank)
    _check(tx, record, ranked, shown)
    tx.execute(
        insert(answers).values(
            id=record.id,
            kind=str(record.kind),
            conversation_id=record.conversation_id,
            query=record.query,
            question=record.question,
            repo=record.repo,
            actor=record.actor,
            answer=record.answer,
            citations=list(record.citations),
            generator=record.generator,
            model_version=record.model_version,
            timings=dict(record.timings),
            created_at=record.created_at,
        )
    )
    if record.conversation_id is not None:
        talk = update(conversations).where(conversations.c.id == record.conversation_id)
        tx.execute(talk.values(updated_at=record.created_at))
    if not ranked:
        return
    cited = {ranked[number - 1].chunk.id for number in record.citations}
    rows = [
        {
            "answer_id": record.id,
            "chunk_id": candidate.chunk.id,
            "content_hash": candidate.chunk.content_hash,
            "dense_score": candidate.dense_score,
            "lexical_score": candidate.lexical_score,
            "fused_score": candidate.fused_score,
            "rerank_score": candidate.rerank_score,
            "final_score": candidate.final_score,
            "first_stage_rank": candidate.first_stage_rank,
            "rank": candidate.rank,
            "shown": position < shown,
            "cited": candidate.chunk.id in cited,
        }
        for position, candidate in enumerate(ranked)
    ]
    tx.execute(insert(impressions), rows)


def get(tx: Connection, answer_id: str) -> Impression:
    """The impression of one answer. Raises NotFound."""
    found = for_answers(tx, [answer_id]).get(answer_id)
    if found is None:
        raise NotFound(f"no answer {answer_id!r}")
    return found


def get_answer(tx: Connection, answer_id: str) -> AnswerRecord:
    """One answer as it was given. Raises NotFound."""
    row = tx.execute(select(answers).where(answers.c.id == answer_id)).one_or_none()
    if row is None:
        raise NotFound(f"no answer {answer_id!r}")
    return AnswerRecord(
        id=row.id,
        kind=AnswerKind(row.kind),
        query=row.query,
        question=row.question,
        repo=row.repo,
        actor=row.actor,
        answer=row.answer,
        citations=tuple(row.citations),
        generator=row.generator,
        model_version=row.model_version,
        created_at=row.created_at,
        conversation_id=row.conversation_id,
        timings=row.timings,
    )


def iterate(tx: Connection, since_answer_at: datetime | None = None) -> Iterator[Impression]:
    """Every impression, oldest answer first, of answers given at or after ``since_answer_at``."""
    query = select(answers.c.id).order_by(answers.c.created_at, answers.c.id)
    if since_answer_at is not None:
        query = query.where(answers.c.created_at >= since_answer_at)
    for batch in batches(tx.execute(query).scalars().all(), PAGE):
        found = for_answers(tx, batch)
        yield from (found[id_] for id_ in batch)


def asked(tx: Connection) -> Iterator[tuple[str, str | None, str, datetime]]:
    """(query, repository, actor, when) of every answer, oldest first, without the candidates."""
    query = select(answers.c.query, answers.c.repo, answers.c.actor, answers.c.created_at)
    for row in tx.execute(query.order_by(answers.c.created_at, answers.c.id)):
        yield row.query, row.repo, row.actor, row.created_at


def for_answers(tx: Connection, ids: Iterable[str]) -> dict[str, Impression]:
    """The impressions of those answers that exist."""
    found: dict[str, Impression] = {}
    for batch in batches(ids, PAGE):
        rows: dict[str, list[ImpressionRow]] = {}
        logged = select(impressions).where(impressions.c.answer_id.in_(batch))
        for row in tx.execute(logged.order_by(impressions.c.answer_id, impressions.c.rank)):
            rows.setdefault(row.answer_id, []).append(_row(row))
        for row in tx.execute(select(answers).where(answers.c.id.in_(batch))):
            found[row.id] = Impression(
                answer_id=row.id,
                query=row.query,
                repo=row.repo,
                actor=row.actor,
                kind=AnswerKind(row.kind),
                model_version=row.model_version,
                created_at=row.created_at,
                rows=tuple(rows.get(row.id, ())),
            )
    return found


def rank_of(tx: Connection, answer_id: str, chunk_id: int) -> int | None:
    """The rank, from 1, that a chunk had in an answer; None when it was no candidate."""
    rank: int | None = tx.execute(
        select(impressions.c.rank).where(impressions.c.answer_id == answer_id, impressions.c.chunk_id == chunk_id)
    ).scalar()
    return rank


def _row(row: Row[*tuple[Any, ...]]) -> ImpressionRow:
    return ImpressionRow(
        chunk_id=row.chunk_id,
        content_hash=row.content_hash,
        dense_score=row.dense_score,
        lexical_score=row.lexical_score,
        fused_score=row.fused_score,
        rerank_score=row.rerank_score,
        final_score=row.final_score,
        first_stage_rank=row.first_stage_rank,
        rank=row.rank,
        shown=row.shown,
        cited=row.cited,
    )


def _check(tx: Connection, record: AnswerRecord, ranked: Sequence[Candidate], shown: int) -> None:
    for text, what in (
        (record.query, "the query"),
        (record.question, "the question"),
        (record.actor, "the actor"),
        (record.answer, "the answer"),
        (record.generator, "the generator"),
        (record.repo or "", "the repository"),
    ):
        clean(text, what)
    wrong = [number for number in record.citations if not 1 <= number <= min(shown, len(ranked))]
    if wrong:
        raise InvalidInput(f"the answer cites {wrong}, but only {min(shown, len(ranked))} sources were shown")
    if len({candidate.chunk.id for candidate in ranked}) != len(ranked):
        raise InvalidInput("a chunk is twice among the candidates")
    if tx.execute(select(answers.c.id).where(answers.c.id == record.id)).scalar() is not None:
        raise Conflict(f"answer {record.id!r} exists already")
    if record.conversation_id is not None:
        talk = select(conversations.c.id).where(conversations.c.id == record.conversation_id)
        if tx.execute(talk).scalar() is None:
            raise NotFound(f"no conversation {record.conversation_id!r}")
