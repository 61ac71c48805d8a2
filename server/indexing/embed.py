"""Makes the dense vectors that live chunks lack. Each batch is durable before the next begins."""

from __future__ import annotations

import logging
from collections.abc import Callable

from server.indexing.progress import Meter, Progress
from store import chunks, texts
from store.database import Database
from store.encoder import Encoder
from store.errors import Cancelled

_FETCH = 2048
_BATCH = 64
"""Texts between two looks at whether to stop: about a second on two cores."""

MANY = 200
"""Texts from which a faster engine is worth the seconds that it takes to get ready."""
log = logging.getLogger("rankloop.server")


def embed_missing(
    db: Database, encoder: Encoder, report: Callable[[Progress], None], cancelled: Callable[[], bool]
) -> int:
    """Encode every live chunk's text that has no vector of this encoder. Returns how many texts.

    Raises Cancelled; what was encoded until then stays.
    """
    with db.read() as tx:
        total = texts.missing_count(tx, encoder.name)
    meter = Meter("embed", total, report)
    if total >= MANY:
        log.info("%d chunks are embedded by %s", total, encoder.hasten())
    done = 0
    while True:
        with db.read() as tx:
            missing = texts.missing_vectors(tx, encoder.name, _FETCH)
        if not missing:
            return done
        missing.sort(key=lambda item: len(item[1]))
        for start in range(0, len(missing), _BATCH):
            if cancelled():
                raise Cancelled("indexing was cancelled; what is embedded so far is kept")
            batch = missing[start : start + _BATCH]
            encoded = encoder.encode([text for _, text in batch])
            with db.write() as tx:
                texts.put_vectors(tx, encoder.name, {key: encoded[i] for i, (key, _) in enumerate(batch)})
                chunks.bump_generation(tx)
            done += len(batch)
            meter.at(done)
