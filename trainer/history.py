"""What the database remembers, as the values that judging and mining need: lists, texts' whereabouts, passages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from store import chunks, impressions, lexical, texts
from store.database import Connection
from store.types import Chunk, Impression, Judgment, Vector
from trainer.evidence import Known, Place
from trainer.follow import follow

FULL_DEPTH = 50
"""A list must be at least this deep to be evidence, or as deep as the server reranks or the code has chunks."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The logged lists of each group: the latest deep enough to be evidence, and the deepest known otherwise."""

    full: Mapping[int, Impression]
    shallow: Mapping[int, Impression]

    @property
    def best(self) -> dict[int, Impression]:
        return {**self.shallow, **self.full}


def logged_lists(tx: Connection, places: Mapping[str, Place], depth: int, rated: Iterable[Impression] = ()) -> Lists:
    """Read all impressions once, keeping two a group. Bridged queries give no list. Texts exist by foreign key.

    ``depth``: how many candidates the server reranks and logs today. ``rated``: of a group that has such impressions
    only lists of the same repositories count. The same words asked of another repository get other candidates, and
    what is right in one is not there to be found in the other.
    """
    where = _repos(rated, places)
    full: dict[int, Impression] = {}
    shallow: dict[int, Impression] = {}
    needed: dict[str | None, int] = {}
    for impression in impressions.iterate(tx):
        place = places.get(impression.query)
        if place is None or place.bridged or not impression.rows:
            continue
        if impression.repo not in where.get(place.group_id, {impression.repo}):
            continue
        if impression.repo not in needed:
            needed[impression.repo] = min(FULL_DEPTH, depth, chunks.count(tx, impression.repo))
        before = shallow.get(place.group_id)
        if len(impression.rows) >= max(1, needed[impression.repo]):
            full[place.group_id] = impression
        elif before is None or len(impression.rows) >= len(before.rows):
            shallow[place.group_id] = impression
    return Lists(full, shallow)


def _repos(rated: Iterable[Impression], places: Mapping[str, Place]) -> dict[int, set[str | None]]:
    """Group → the repositories that its rated questions were asked of; None: all of them."""
    found: dict[int, set[str | None]] = defaultdict(set)
    for impression in rated:
        if place := places.get(impression.query):
            found[place.group_id].add(impression.repo)
    return found


def whereabouts(tx: Connection, encoder: str, chunk_ids: Iterable[int]) -> Known:
    """Where the texts of these chunks live now.

    Successors are looked for in the chunk's own file, then among all live chunks of its repository.
    """
    judged = chunks.get(tx, sorted(set(chunk_ids)))
    live, lost = _live_and_lost(tx, judged.values())
    successors = _successors(tx, encoder, lost)
    hashes = {chunk.content_hash for chunk in (*lost, *successors)}
    vectors = texts.get_vectors(tx, encoder, sorted(hashes))
    followed = follow(judged.values(), [*live, *successors], vectors)
    return Known({chunk.id: chunk.content_hash for chunk in judged.values()}, followed)


def lost_texts(tx: Connection, chunk_ids: Iterable[int]) -> set[str]:
    """Content hashes of these chunks that no live chunk has."""
    _, lost = _live_and_lost(tx, chunks.get(tx, sorted(set(chunk_ids))).values())
    return {chunk.content_hash for chunk in lost}


def _live_and_lost(tx: Connection, judged: Collection[Chunk]) -> tuple[list[Chunk], list[Chunk]]:
    """Live chunks with the texts of these, and those of these whose text is nowhere live."""
    same = chunks.by_hash(tx, sorted({chunk.content_hash for chunk in judged}))
    living = chunks.live_among(tx, [chunk.id for found in same.values() for chunk in found])
    live = [chunk for found in same.values() for chunk in found if chunk.id in living]
    alive = {chunk.content_hash for chunk in live}
    return live, [chunk for chunk in judged if chunk.content_hash not in alive]


def _successors(tx: Connection, encoder: str, lost: Iterable[Chunk]) -> list[Chunk]:
    found: dict[int, Chunk] = {}
    for repo in sorted({chunk.repo for chunk in lost if chunk.symbol}):
        wanted = {chunk.symbol for chunk in lost if chunk.repo == repo and chunk.symbol}
        after = 0
        while page := chunks.live_vectors(tx, encoder, after, 2_000, repo):
            after = page[-1][0]
            for chunk in chunks.get(tx, [chunk_id for chunk_id, _, _ in page]).values():
                if chunk.symbol in wanted:
                    found[chunk.id] = chunk
    return list(found.values())


def lexical_scores(
    tx: Connection, judgments: Iterable[Judgment], lists: Mapping[int, Impression], depth: int = 500
) -> dict[tuple[int, str], float]:
    """Lexical scores of positives that were no candidates: (group, text) → BM25 over the best of that query."""
    scores: dict[tuple[int, str], float] = {}
    for judgment in judgments:
        impression = lists.get(judgment.group_id)
        if impression is None or judgment.chunk_id is None or judgment.relevance <= 0.5:
            continue
        if any(row.content_hash == judgment.content_hash for row in impression.rows):
            continue
        hits = dict(lexical.search(tx, impression.query, impression.repo, depth))
        if judgment.chunk_id in hits:
            scores[(judgment.group_id, judgment.content_hash)] = hits[judgment.chunk_id] / max(hits.values())
    return scores


def symbols_of(tx: Connection, lists: Iterable[Impression], judgments: Iterable[Judgment]) -> dict[str, str]:
    """content hash → symbol of the chunk that was listed or judged."""
    ids = {row.chunk_id for one in lists for row in one.rows}
    ids |= {judgment.chunk_id for judgment in judgments if judgment.chunk_id is not None}
    return {chunk.content_hash: chunk.symbol for chunk in chunks.get(tx, sorted(ids)).values() if chunk.symbol}


def missing_vectors(tx: Connection, encoder: str, hashes: Iterable[str]) -> tuple[dict[str, Vector], dict[str, str]]:
    """The vectors that are stored for these texts, and the texts (by hash) that have none yet."""
    wanted = sorted(set(hashes))
    vectors = texts.get_vectors(tx, encoder, wanted)
    return vectors, texts.get(tx, [name for name in wanted if name not in vectors])
