"""Gives every judged query its group and split, once and for ever (rules: ``trainer.split``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

from store import queries as store
from store.database import Connection, Database
from store.types import Split, Vector
from trainer.evidence import Place
from trainer.split import THRESHOLD, Splitter


class TextEncoder(Protocol):
    """What is needed of ``store.encoder.Encoder``."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vector:
        """Normalised vectors, shape ``(len(texts), d)``."""
        ...


@dataclass(frozen=True, slots=True)
class Grouped:
    """Where each query belongs, by its text as asked, and its embedding, shape ``(d,)``."""

    places: dict[str, Place]
    vectors: dict[str, Vector]


def group_queries(
    db: Database, encoder: TextEncoder, asked: Iterable[str], now: datetime, threshold: float = THRESHOLD
) -> Grouped:
    """Assign the queries not seen before, in the given order, and look all of them up.

    One write transaction decides, so two builds at once can't put one query on both sides.
    """
    _follow_encoder(db, encoder, now, threshold)
    names = {query: store.normalise(query) for query in dict.fromkeys(asked)}
    first = {name: query for query, name in reversed(names.items())}
    with db.read() as tx:
        known = {store.normalise(query.query) for query in store.known(tx)}
    unseen = [name for name in dict.fromkeys(names.values()) if name not in known]
    encoded = dict(zip(unseen, encoder.encode([first[name] for name in unseen]), strict=True)) if unseen else {}
    if unseen:
        with db.write() as tx:
            _assign(tx, [(name, first[name], encoded[name]) for name in unseen], now, threshold)
    with db.read() as tx:
        where = store.group_of(tx)
        vectors = {store.normalise(query.query): query.vector for query in store.known(tx)}
    return Grouped(
        {query: Place(*where[name]) for query, name in names.items()},
        {query: vectors[name] for query, name in names.items()},
    )


def _follow_encoder(db: Database, encoder: TextEncoder, now: datetime, threshold: float) -> None:
    """After a change of encoder, embed every known query anew: vectors of two encoders can't be compared.

    Groups and splits stay. Train-side queries that stand near a held-out one in the new space leave training.
    """
    with db.read() as tx:
        if store.encoder(tx) == encoder.name:
            return
        known = store.known(tx)
    vectors = encoder.encode([query.query for query in known]) if known else np.zeros((0, 1), dtype=np.float32)
    held_out = vectors[[query.split is Split.HELD_OUT for query in known]]
    bridged = [
        query.id
        for query, row in zip(known, vectors, strict=True)
        if query.split is Split.TRAIN and not query.bridged and (held_out @ row >= threshold).any()
    ]
    with db.write() as tx:
        store.put_vectors(tx, encoder.name, {query.id: row for query, row in zip(known, vectors, strict=True)}, now)
        for query_id in bridged:
            store.mark_bridged(tx, query_id)


def _assign(tx: Connection, unseen: Sequence[tuple[str, str, Vector]], now: datetime, threshold: float) -> None:
    """Bridged queries may be among the ones just added, so they are named by text until all have ids."""
    known = store.known(tx)
    names = [store.normalise(query.query) for query in known]
    splitter = Splitter((), threshold)
    for index, query in enumerate(known):
        splitter.add(index, query.group_id, query.split, query.vector)
    bridged: set[str] = set()
    present = set(names)
    for name, query_text, vector in unseen:
        if name in present:
            continue
        choice = splitter.assign(name, vector)
        group = store.add(tx, query_text, vector, choice.group_id, choice.split, now)
        bridged.update(names[index] for index in choice.bridges)
        splitter.add(len(names), group.id, group.split, vector)
        names.append(name)
        present.add(name)
    for query in store.known(tx) if bridged else []:
        if not query.bridged and store.normalise(query.query) in bridged:
            store.mark_bridged(tx, query.id)
