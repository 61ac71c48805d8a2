"""Answers: one question, one cited answer."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Key, Who
from server.schemas.account import StoredAnswer
from server.schemas.asking import AnswerForm, AnswerResult
from store.errors import Unavailable

router = APIRouter(prefix="/api", tags=["ask"])


@router.post("/answer")
async def answer(form: AnswerForm, who: Who) -> AnswerResult:
    """Answer a question from the indexed code, with citations."""
    raise Unavailable("the server is starting")


@router.get("/answers/{answer_id}")
def stored_answer(answer_id: Key, who: Who) -> StoredAnswer:
    """An earlier answer with its sources and the caller's rating."""
    raise Unavailable("the server is starting")
