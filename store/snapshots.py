"""Dataset snapshots: immutable, named by the hash of what they hold. The same content is the same snapshot."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.sqlite import insert

from store.errors import InvalidInput, NotFound, Unavailable
from store.tables import signals, snapshot_signals, snapshots
from store.types import EvalQuery, Json, Pair, PairSource, SecondOpinion, Snapshot, Split

_BATCH = 500
SHORTEST = 8
"""Characters of a hash that name a snapshot, where no other one begins with them."""


@dataclass(frozen=True, slots=True)
class SnapshotHead:
    """What is known of a snapshot without reading what it holds. ``created_at``, ``stats``: of its latest build."""

    hash: str
    created_at: datetime
    stats: Json


@dataclass(frozen=True, slots=True)
class Heard:
    """The signals behind a snapshot: those that its judgments were made from, in any of its builds."""

    signals: int
    kinds: Mapping[str, int]
    """Signals by kind, kinds in alphabetical order."""
    ids: tuple[int, int] | None
    """First and last; None without a signal."""
    days: tuple[datetime, datetime] | None
    """When the earliest and the latest of them was given."""


def make(
    pairs: Iterable[Pair],
    train_queries: Iterable[EvalQuery],
    held_out: Iterable[EvalQuery],
    params: Json,
    stats: Json,
    now: datetime,
    second_opinions: Iterable[SecondOpinion] = (),
) -> Snapshot:
    """A snapshot with its hash, its parts in canonical order: whatever the order given, training sees the same one."""
    content = canonical(pairs, train_queries, held_out, params, second_opinions)
    return _parse(content, hashlib.sha256(content).hexdigest(), now, stats)


def canonical(
    pairs: Iterable[Pair],
    train_queries: Iterable[EvalQuery],
    held_out: Iterable[EvalQuery],
    params: Json,
    second_opinions: Iterable[SecondOpinion] = (),
) -> bytes:
    """What the hash covers, as UTF-8 JSON: sorted keys, rows sorted by their own text, no spaces.

    Texts are covered by their content hashes. Second opinions have a key only where there are any: earlier releases
    knew none, and their snapshots keep their hashes. Raises InvalidInput for numbers that JSON can't hold (NaN,
    infinity).
    """
    try:
        content = {
            "pairs": _sorted(map(_pair_row, pairs)),
            "train_queries": _sorted(map(_query_row, train_queries)),
            "held_out": _sorted(map(_query_row, held_out)),
            "params": params,
        }
        if opinions := _sorted(map(_opinion_row, second_opinions)):
            content["second_opinions"] = opinions
        return _dump(content).encode()
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"a snapshot cannot hold this: {error}") from error


def save(tx: Connection, snapshot: Snapshot, signal_ids: Iterable[int]) -> str:
    """Store the snapshot and which signals went into it; the same content is stored once. Returns the hash.

    Equal content may come of other signals (a second vote on a held-out question changes nothing that is kept), so a
    later build adds its signals, and its counts and date replace the ones before.
    Raises InvalidInput when ``snapshot.hash`` is neither empty nor the hash of its content.
    """
    parts = (snapshot.pairs, snapshot.train_queries, snapshot.held_out, snapshot.params, snapshot.second_opinions)
    content = canonical(*parts)
    digest = hashlib.sha256(content).hexdigest()
    if snapshot.hash not in ("", digest):
        raise InvalidInput(f"the snapshot's content has hash {digest[:12]}, not {snapshot.hash[:12]}")
    build = {"created_at": snapshot.created_at, "stats": snapshot.stats}
    if tx.execute(select(snapshots.c.hash).where(snapshots.c.hash == digest)).first() is not None:
        tx.execute(update(snapshots).where(snapshots.c.hash == digest).values(**build))
    else:
        packed = zlib.compress(content, level=6)
        tx.execute(insert(snapshots).values(hash=digest, params=snapshot.params, content=packed, **build))
    rows = [{"snapshot_hash": digest, "signal_id": signal_id} for signal_id in sorted(set(signal_ids))]
    if rows:
        tx.execute(insert(snapshot_signals).on_conflict_do_nothing(), rows)
    return digest


def find(tx: Connection, name: str) -> str:
    """The hash that begins with ``name``, of at least 8 characters.

    Raises InvalidInput for fewer, for what is no hash and where several begin so; NotFound.
    """
    if not SHORTEST <= len(name) <= 64 or set(name) - set("0123456789abcdef"):
        says = "the beginning of its hash, 8 to 64 characters of 0-9 and a-f"
        raise InvalidInput(f"{name[:70]!r} names no snapshot: give {says}")
    begins = snapshots.c.hash.startswith(name)
    found = list(tx.execute(select(snapshots.c.hash).where(begins).order_by(snapshots.c.hash).limit(2)).scalars())
    if not found:
        raise NotFound(f"no snapshot {name[:12]}")
    if len(found) > 1:
        raise InvalidInput(f"several snapshots begin with {name}: give more of the hash")
    return str(found[0])


def load(tx: Connection, snapshot_hash: str) -> Snapshot:
    """Raises NotFound; Unavailable when the stored content no longer has its hash."""
    row = tx.execute(select(snapshots).where(snapshots.c.hash == snapshot_hash)).one_or_none()
    if row is None:
        raise NotFound(f"no snapshot {snapshot_hash}")
    try:
        content = zlib.decompress(row.content)
    except zlib.error as error:
        raise Unavailable(f"snapshot {snapshot_hash[:12]} is damaged in the database: restore a backup") from error
    if hashlib.sha256(content).hexdigest() != snapshot_hash:
        raise Unavailable(f"snapshot {snapshot_hash[:12]} is damaged in the database: restore a backup")
    return _parse(content, snapshot_hash, row.created_at, row.stats)


def heads(tx: Connection, limit: int) -> list[SnapshotHead]:
    """The latest snapshots, newest first."""
    query = select(snapshots.c.hash, snapshots.c.created_at, snapshots.c.stats)
    rows = tx.execute(query.order_by(snapshots.c.created_at.desc(), snapshots.c.hash).limit(limit))
    return [SnapshotHead(row.hash, row.created_at, row.stats) for row in rows]


def head(tx: Connection, snapshot_hash: str) -> SnapshotHead:
    """Raises NotFound."""
    query = select(snapshots.c.hash, snapshots.c.created_at, snapshots.c.stats)
    row = tx.execute(query.where(snapshots.c.hash == snapshot_hash)).one_or_none()
    if row is None:
        raise NotFound(f"no data set {snapshot_hash[:12]}")
    return SnapshotHead(row.hash, row.created_at, row.stats)


def for_signal(tx: Connection, signal_ids: Sequence[int]) -> list[str]:
    """Hashes of the snapshots that any of the signals went into, oldest first."""
    found: dict[str, datetime] = {}
    for start in range(0, len(signal_ids), _BATCH):
        rows = tx.execute(
            select(snapshots.c.hash, snapshots.c.created_at)
            .join(snapshot_signals, snapshot_signals.c.snapshot_hash == snapshots.c.hash)
            .where(snapshot_signals.c.signal_id.in_(signal_ids[start : start + _BATCH]))
        )
        found.update((row.hash, row.created_at) for row in rows)
    return sorted(found, key=lambda digest: (found[digest], digest))


def signal_ids(tx: Connection, snapshot_hash: str) -> set[int]:
    """The signals that went into a snapshot."""
    rows = tx.execute(select(snapshot_signals.c.signal_id).where(snapshot_signals.c.snapshot_hash == snapshot_hash))
    return {row.signal_id for row in rows}


def heard(tx: Connection, snapshot_hash: str) -> Heard:
    """How many signals went into a snapshot, of which kinds, which and when."""
    number, at = signals.c.id, signals.c.created_at
    rows = tx.execute(
        select(
            signals.c.kind,
            func.count().label("n"),
            func.min(number).label("first"),
            func.max(number).label("last"),
            func.min(at).label("earliest"),
            func.max(at).label("latest"),
        )
        .join(snapshot_signals, snapshot_signals.c.signal_id == signals.c.id)
        .where(snapshot_signals.c.snapshot_hash == snapshot_hash)
        .group_by(signals.c.kind)
        .order_by(signals.c.kind)
    ).all()
    return Heard(
        signals=sum(row.n for row in rows),
        kinds={row.kind: row.n for row in rows},
        ids=(min(row.first for row in rows), max(row.last for row in rows)) if rows else None,
        days=(min(row.earliest for row in rows), max(row.latest for row in rows)) if rows else None,
    )


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _sorted(rows: Iterable[Json]) -> list[Json]:
    return sorted(rows, key=_dump)


def _pair_row(pair: Pair) -> Json:
    row = asdict(pair)
    return {**row, **{name: _number(row[name]) for name in ("label", "weight", "dense_score", "lexical_score")}}


def _query_row(query: EvalQuery) -> Json:
    return {
        **asdict(query),
        "dense_scores": [_number(score) for score in query.dense_scores],
        "lexical_scores": [_number(score) for score in query.lexical_scores],
        "relevance": {key: _number(value) for key, value in query.relevance.items()},
    }


def _opinion_row(opinion: SecondOpinion) -> Json:
    return {
        "query": _query_row(opinion.query),
        "pairs": _sorted(map(_pair_row, opinion.pairs)),
        "signal_ids": sorted(opinion.signal_ids),
    }


def _number(value: float) -> float:
    """One spelling for equal numbers: 1, 1.0 and numpy's alike, and no negative zero."""
    return float(value) + 0.0


def _parse(content: bytes, digest: str, created_at: datetime, stats: Json) -> Snapshot:
    parts = json.loads(content)
    return Snapshot(
        hash=digest,
        created_at=created_at,
        pairs=tuple(map(_pair, parts["pairs"])),
        train_queries=tuple(map(_query, parts["train_queries"])),
        held_out=tuple(map(_query, parts["held_out"])),
        params=parts["params"],
        stats=stats,
        second_opinions=tuple(
            SecondOpinion(_query(one["query"]), tuple(map(_pair, one["pairs"])), tuple(one["signal_ids"]))
            for one in parts.get("second_opinions", [])
        ),
    )


def _pair(row: Json) -> Pair:
    return Pair(**{**row, "source": PairSource(row["source"])})


def _query(row: Json) -> EvalQuery:
    return EvalQuery(
        group_id=row["group_id"],
        query=row["query"],
        split=Split(row["split"]),
        content_hashes=tuple(row["content_hashes"]),
        dense_scores=tuple(row["dense_scores"]),
        lexical_scores=tuple(row["lexical_scores"]),
        relevance=row["relevance"],
    )
