"""Ratings: what people say about answers and chunks, and what became of it."""

from __future__ import annotations

from fastapi import APIRouter

from server.deps import Id, Key, Who
from server.schemas.rating import ChunkRatingForm, CorrectionForm, EventForm, EventRecorded, RatingForm, Receipt
from store.errors import Unavailable

router = APIRouter(prefix="/api/answers/{answer_id}", tags=["rate"])


@router.put("/rating")
def rate(answer_id: Key, form: RatingForm, who: Who) -> Receipt:
    """Rate an answer. The latest rating of an actor wins; null takes back."""
    raise Unavailable("the server is starting")


@router.put("/chunks/{chunk_id}/rating")
def rate_chunk(answer_id: Key, chunk_id: Id, form: ChunkRatingForm, who: Who) -> Receipt:
    """Say whether a chunk is relevant to the question; null takes back."""
    raise Unavailable("the server is starting")


@router.put("/correction")
def correct(answer_id: Key, form: CorrectionForm, who: Who) -> Receipt:
    """Name the chunk that was the right one; null takes back."""
    raise Unavailable("the server is starting")


@router.post("/events")
def event(answer_id: Key, form: EventForm, who: Who) -> EventRecorded:
    """Record that a source was clicked, copied or opened."""
    raise Unavailable("the server is starting")


@router.get("/receipt")
async def receipt(answer_id: Key, who: Who) -> Receipt:
    """What became of the ratings: judgments, data sets, versions, rank then and now."""
    raise Unavailable("the server is starting")
