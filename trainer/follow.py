"""Judgments follow their chunk when code changes: by content hash, then by symbol and similarity; else they retire."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from store.types import Chunk, Vector

SIMILARITY = 0.8
"""Cosine between the old and the new text of a symbol above which the new text is the same thing, changed."""


class How(StrEnum):
    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a judged text lives now. ``gone`` keeps the old hash; its judgments are retired."""

    content_hash: str
    chunk_id: int | None
    how: How
    note: str = ""


def follow(
    judged: Iterable[Chunk],
    live: Iterable[Chunk],
    vectors: Mapping[str, Vector],
    similarity: float = SIMILARITY,
) -> dict[str, Followed]:
    """Old content hash → where it is now.

    ``judged``: the chunks people saw, retired ones included. ``live``: today's chunks that may succeed them (any with
    one of the hashes, or of the same repository and symbol). ``vectors``: content hash → normalised embedding ``(d,)``;
    a text without one can't be followed by similarity. The same text elsewhere wins; then the most similar live chunk
    of the same symbol in the same file, then in the same repository.
    """
    by_hash: dict[str, list[Chunk]] = defaultdict(list)
    by_symbol: dict[tuple[str, str], list[Chunk]] = defaultdict(list)
    for chunk in sorted(live, key=lambda chunk: chunk.id):
        by_hash[chunk.content_hash].append(chunk)
        if chunk.symbol:
            by_symbol[(chunk.repo, chunk.symbol)].append(chunk)
    result: dict[str, Followed] = {}
    for chunk in sorted(judged, key=lambda chunk: chunk.id):
        found = _same(chunk, by_hash) or _changed(chunk, by_symbol, vectors, similarity)
        before = result.get(chunk.content_hash)
        if before is None or (before.how is How.GONE and found is not None):
            gone = Followed(chunk.content_hash, None, How.GONE, f"{_place(chunk)} is no longer in the code")
            result[chunk.content_hash] = found or gone
    return result


def _same(chunk: Chunk, by_hash: Mapping[str, list[Chunk]]) -> Followed | None:
    found = by_hash.get(chunk.content_hash)
    if not found:
        return None
    best = min(
        found, key=lambda other: (other.repo != chunk.repo, other.path != chunk.path, other.id != chunk.id, other.id)
    )
    moved = (best.repo, best.path) != (chunk.repo, chunk.path)
    return Followed(best.content_hash, best.id, How.SAME, f"moved to {_place(best)}" if moved else "")


def _changed(
    chunk: Chunk,
    by_symbol: Mapping[tuple[str, str], list[Chunk]],
    vectors: Mapping[str, Vector],
    similarity: float,
) -> Followed | None:
    old = vectors.get(chunk.content_hash)
    if old is None or not chunk.symbol:
        return None
    near = [
        (other.path == chunk.path, float(old @ vectors[other.content_hash]), -other.id, other)
        for other in by_symbol.get((chunk.repo, chunk.symbol), ())
        if other.content_hash in vectors
    ]
    near = [entry for entry in near if entry[1] >= similarity]
    if not near:
        return None
    _, cosine, _, best = max(near, key=lambda entry: entry[:3])
    note = f"follows {chunk.symbol} to its changed text in {best.path} (similarity {cosine:.2f})"
    return Followed(best.content_hash, best.id, How.CHANGED, note)


def _place(chunk: Chunk) -> str:
    return f"{chunk.path}:{chunk.start_line}" + (f" ({chunk.symbol})" if chunk.symbol else "")
