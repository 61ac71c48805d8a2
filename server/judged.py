"""Judgments and pairs as the admin page shows them: with the code that they are about and where it is."""

from __future__ import annotations

from collections.abc import Sequence

from server.schemas.data import JudgmentView, OverrideView, PairView
from store import chunks, judgments, texts
from store.database import Connection
from store.types import Chunk, Judgment, Pair


def judgment_views(tx: Connection, found: Sequence[Judgment]) -> list[JudgmentView]:
    """In the order given."""
    places = chunks.get(tx, {judgment.chunk_id for judgment in found if judgment.chunk_id is not None})
    judged = texts.get(tx, {judgment.content_hash for judgment in found})
    decided = judgments.overrides(tx)
    made = []
    for judgment in found:
        place = None if judgment.chunk_id is None else places.get(judgment.chunk_id)
        override = decided.get(judgment.id)
        made.append(
            JudgmentView(
                id=judgment.id,
                group_id=judgment.group_id,
                query=judgment.query,
                content_hash=judgment.content_hash,
                chunk_id=judgment.chunk_id,
                relevance=judgment.relevance,
                weight=judgment.weight,
                strong=judgment.strong,
                sources=list(judgment.sources),
                reasons=list(judgment.reasons),
                signal_ids=list(judgment.signal_ids),
                actors=list(judgment.actors),
                conflict=judgment.conflict,
                vetoed=judgment.vetoed,
                retired=judgment.retired,
                repo=None if place is None else place.repo,
                path=None if place is None else place.path,
                symbol=None if place is None else place.symbol,
                start_line=None if place is None else place.start_line,
                end_line=None if place is None else place.end_line,
                text=judged.get(judgment.content_hash, ""),
                override=None if override is None else OverrideView.model_validate(override),
            )
        )
    return made


def pair_views(tx: Connection, found: Sequence[Pair], repo: str | None = None) -> list[PairView]:
    """In the order given. A text that stands in several places is shown in ``repo`` where it is there."""
    hashes = {pair.content_hash for pair in found}
    places, known = chunks.by_hash(tx, hashes), texts.get(tx, hashes)
    made = []
    for pair in found:
        place = _place(places.get(pair.content_hash, []), repo)
        made.append(
            PairView(
                group_id=pair.group_id,
                query=pair.query,
                content_hash=pair.content_hash,
                label=pair.label,
                weight=pair.weight,
                source=pair.source,
                reason=pair.reason,
                dense_score=pair.dense_score,
                lexical_score=pair.lexical_score,
                repo=None if place is None else place.repo,
                path=None if place is None else place.path,
                symbol=None if place is None else place.symbol,
                start_line=None if place is None else place.start_line,
                end_line=None if place is None else place.end_line,
                text=known.get(pair.content_hash, ""),
            )
        )
    return made


def _place(places: Sequence[Chunk], repo: str | None) -> Chunk | None:
    return next((place for place in places if place.repo == repo), places[0] if places else None)
