"""Code, answers and clocks for the tests of what goes in: a migrated database with a repository."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.engine import Connection

from store import chunks, impressions, repos
from store.texts import content_hash
from store.types import AnswerKind, AnswerRecord, Candidate, Chunk, ChunkDraft

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def draft(path: str, line: int, symbol: str, text: str) -> ChunkDraft:
    return ChunkDraft(path, line, line + text.count("\n"), symbol, "python", text, content_hash(text))


def add_chunks(tx: Connection, count: int, repo: str = "shop", path: str = "basket.py") -> list[Chunk]:
    """A repository with one file of so many small functions; its chunks in order."""
    repos.add(tx, repo, f"/code/{repo}", NOW)
    drafts = [draft(path, 10 * n + 1, f"fn_{n}", f"def fn_{n}():\n    return {repo!r}, {n}") for n in range(count)]
    added = chunks.replace_file(tx, repo, path, drafts, NOW).added
    found = chunks.get(tx, added)
    return [found[id_] for id_ in added]


def candidates(found: Sequence[Chunk]) -> list[Candidate]:
    """The chunks as a ranked candidate list, first one first, reranked without changing the order."""
    return [
        Candidate(
            chunk=chunk,
            dense_score=1 - n / 10,
            lexical_score=n / 10,
            fused_score=1 - n / 20,
            first_stage_rank=n + 1,
            rerank_score=float(-n),
            final_score=2.0 - n,
            rank=n + 1,
        )
        for n, chunk in enumerate(found)
    ]


def answer(id_: str, at: datetime = NOW, citations: tuple[int, ...] = (1,), **changes: object) -> AnswerRecord:
    values: dict[str, object] = {
        "id": id_,
        "kind": AnswerKind.ANSWER,
        "query": "where is the basket emptied",
        "question": "Where is the basket emptied?",
        "repo": "shop",
        "actor": "ada",
        "answer": "In fn_0 [1].",
        "citations": citations,
        "generator": "extractive",
        "model_version": 0,
        "created_at": at,
        "timings": {"total": 0.5},
    }
    return AnswerRecord(**(values | changes))  # type: ignore[arg-type]


def add_answer(tx: Connection, id_: str, found: Sequence[Chunk], shown: int = 3, at: datetime = NOW) -> AnswerRecord:
    record = answer(id_, at)
    impressions.save(tx, record, candidates(found), shown)
    return record
