"""Vectors of texts: those that are missing are made and kept, a batch at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from store import texts
from store.database import Database
from store.encoder import Encoder
from store.types import Vector
from trainer.grouping import TextEncoder
from trainer.history import missing_vectors

MANY = 200
"""Texts from which a faster engine is worth the seconds that it takes to get ready."""
_BATCH = 64
log = logging.getLogger("rankloop.trainer")


def embedded(
    db: Database,
    encoder: TextEncoder,
    hashes: Iterable[str],
    before: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Vector]:
    """Content hash → vector, rounded as every later night sees it.

    ``before`` each batch and at the end hears how many of so many that lacked one have one; it may raise to stop.
    """
    with db.read() as tx:
        vectors, missing = missing_vectors(tx, encoder.name, hashes)
    names = list(missing)
    if len(names) >= MANY and isinstance(encoder, Encoder):
        log.info("%d texts are embedded by %s", len(names), encoder.hasten())
    for start in range(0, len(names), _BATCH):
        before(start, len(names))
        batch = names[start : start + _BATCH]
        made = dict(zip(batch, encoder.encode([missing[name] for name in batch]), strict=True))
        with db.write() as tx:
            texts.put_vectors(tx, encoder.name, made)
            vectors.update(texts.get_vectors(tx, encoder.name, made))
    if names:
        before(len(names), len(names))
    return vectors
