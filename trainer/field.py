"""The lists that arms compete on, with all their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from store import texts as text_store
from store.database import Database
from store.settings import Settings
from store.types import EvalQuery, SecondOpinion, Snapshot
from trainer.evaluate import answerable
from trainer.grouping import TextEncoder
from trainer.guards import guard_sets
from trainer.near import NEAR
from trainer.second_opinions import Traffic, traffic_of


@dataclass(frozen=True, slots=True)
class Field:
    """Lists by body of evidence. Each has a right chunk among its candidates and every text."""

    train: tuple[EvalQuery, ...]
    """Logged lists of the training groups: dev and out-of-fold evidence."""
    held_out: tuple[EvalQuery, ...]
    """Logged lists of the held-out groups."""
    golden: tuple[EvalQuery, ...]
    general: tuple[EvalQuery, ...]
    texts: Mapping[str, str]
    """Content hash → text, of the lists and of the snapshot's pairs."""
    imported: frozenset[int]
    """Groups whose lists are made of imported passages: they prove nothing."""
    notes: tuple[str, ...]
    imported_lists: tuple[EvalQuery, ...] = ()
    """The held-out ones of the imported lists: shown apart."""
    near: tuple[tuple[int, ...], ...] = ()
    """Sets of training groups that ask nearly the same, and so share a fold; none in snapshots of earlier releases."""
    second_opinions: tuple[SecondOpinion, ...] = ()
    traffic: Traffic = field(default_factory=Traffic)


def lay_out(db: Database, encoder: TextEncoder, settings: Settings, snapshot: Snapshot, now: datetime) -> Field:
    """Gather the lists of a snapshot and of the guard sets. Nothing is trained on them here."""
    trained = frozenset(pair.group_id for pair in snapshot.pairs)
    guards = guard_sets(db, encoder, settings, trained, now)
    opinions = {one.query.group_id: one for one in snapshot.second_opinions}
    asked = tuple(one.query for one in opinions.values())
    lists = (*snapshot.train_queries, *snapshot.held_out, *guards.golden, *guards.general, *asked)
    pairs = (*snapshot.pairs, *(pair for one in opinions.values() for pair in one.pairs))
    wanted = {pair.content_hash for pair in pairs} | {name for one in lists for name in one.content_hashes}
    with db.read() as tx:
        texts = text_store.get(tx, sorted(wanted))
    imported = frozenset(snapshot.stats.get("imported_lists", {}).get("groups", []))
    kept, left = _keep([one for one in snapshot.train_queries if one.group_id not in imported], texts)
    held_out, out = _keep(snapshot.held_out, texts)
    heard, unheard = _keep(asked, texts)
    notes = (
        [f"{left + out} judged questions have no right chunk or lost texts, and decide nothing."] if left + out else []
    )
    notes += [f"{unheard} second opinions lost texts, and decide nothing."] if unheard else []
    missing = len(wanted) - len(texts)
    notes += [f"{missing} texts are missing in the database; their pairs and lists were left out."] if missing else []
    return Field(
        train=kept,
        held_out=tuple(one for one in held_out if one.group_id not in imported),
        golden=_keep(guards.golden, texts)[0],
        general=_keep(guards.general, texts)[0],
        texts=texts,
        imported=imported,
        notes=tuple(notes),
        imported_lists=tuple(one for one in held_out if one.group_id in imported),
        near=tuple(tuple(members) for members in snapshot.params.get(NEAR, [])),
        second_opinions=tuple(opinions[one.group_id] for one in heard),
        traffic=traffic_of(snapshot.params),
    )


def _keep(queries: Sequence[EvalQuery], texts: Mapping[str, str]) -> tuple[tuple[EvalQuery, ...], int]:
    kept, left_out = answerable(queries, texts)
    return tuple(kept), left_out
