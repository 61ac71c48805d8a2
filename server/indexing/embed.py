"""Makes the dense vectors that live chunks lack. Each batch is durable before the next begins."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from server.indexing.progress import Meter, Progress
from store import chunks, texts
from store.database import Database
from store.encoder import Encoder
from store.errors import Cancelled

_FETCH = 2048
"""Texts that are sorted by length together: many fewer, and what is gained by beginning early is lost to padding."""
_LOOK_S = 0.1

MANY = 200
"""Texts from which a faster engine is worth the second that it takes to get ready."""
log = logging.getLogger("rankloop.server")


def embed_missing(
    db: Database,
    encoder: Encoder,
    report: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    done: int = 0,
    most: int | None = None,
) -> int:
    """Encode every live chunk's text that has no vector of this encoder. Returns how many texts, after ``done`` before.

    ``most``: stop after so many, or a few more. Raises Cancelled; what was encoded until then stays.
    """
    with db.read() as tx:
        total = texts.missing_count(tx, encoder.name)
    meter = Meter("embed", done + total, report)
    meter.at(done)
    try:
        if total >= MANY:
            log.info("%d chunks are embedded by %s", total, encoder.hasten())
        first = done
        while True:
            before = done
            for count in _encoded(db, encoder, _FETCH if most is None else min(_FETCH, most), cancelled):
                done += count
                meter.at(done)
            if done == before or (most is not None and done - first >= most):
                return done
    finally:
        encoder.relax()


def embed_alongside(
    db: Database, encoder: Encoder, cut: Callable[[], None], added: Callable[[], int], cancelled: Callable[[], bool]
) -> int:
    """Call ``cut``; make the faster engine ready meanwhile, and encode what is stored in pieces that are worth it.

    ``added`` tells how many chunks ``cut`` has stored so far. Returns how many texts were encoded; the rest is left.
    Raises what ``cut`` raises.
    """
    over = Event()
    with ThreadPoolExecutor(1, "embed") as pool:
        early = pool.submit(_until, over, db, encoder, added, cancelled)
        try:
            cut()
        finally:
            over.set()
        return early.result()


def _until(over: Event, db: Database, encoder: Encoder, added: Callable[[], int], cancelled: Callable[[], bool]) -> int:
    done, tried = 0, False
    while not over.wait(_LOOK_S):
        if added() >= MANY and not tried:
            encoder.hasten()
            tried = True
        if added() - done < _FETCH:
            continue
        before = done
        for count in _encoded(db, encoder, _FETCH, cancelled):
            done += count
            if over.is_set():
                return done
        if done == before:
            return done
    return done


def _encoded(db: Database, encoder: Encoder, most: int, cancelled: Callable[[], bool]) -> Iterator[int]:
    """Encode up to ``most`` of the texts that lack a vector; yields after each batch how many texts it had."""
    with db.read() as tx:
        missing = texts.missing_vectors(tx, encoder.name, most)
    if cancelled():
        raise Cancelled("indexing was cancelled; what is embedded so far is kept")
    for places, vectors in encoder.in_batches([text for _, text in missing]):
        with db.write() as tx:
            made = {missing[place][0]: vector for place, vector in zip(places, vectors, strict=True)}
            texts.put_vectors(tx, encoder.name, made)
            chunks.bump_generation(tx)
        yield len(places)
        if cancelled():
            raise Cancelled("indexing was cancelled; what is embedded so far is kept")
