"""What a job asks for, and the snapshot it trains on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from store import imports, registry, snapshots
from store.database import Database
from store.encoder import Encoder
from store.errors import InvalidInput
from store.settings import Settings
from store.types import Job, Json, Snapshot
from trainer import dataset
from trainer.recipe import AnyRecipe, recipe_named, within
from trainer.repeat import Rehearsal

SCHEDULE = "schedule"
_KNOWN = frozenset({"recipe", "pairs_batch", "seed", "max_steps", "snapshot"})


@dataclass(frozen=True, slots=True)
class Order:
    """The parameters of a nightly job, checked."""

    recipe: AnyRecipe
    seed: int
    pairs_batch: str | None
    """Train on this imported file alone; "all" for every imported file."""
    scheduled: bool
    repeats: Rehearsal | None = None
    """Train on this stored snapshot and take none."""

    @classmethod
    def of(cls, job: Job, settings: Settings, repeats: Rehearsal | None = None) -> Order:
        """``repeats``: the snapshot that the job names; its recipe and seed hold where the job names no others.

        Raises InvalidInput for unknown or wrong parameters.
        """
        params = dict(job.params)
        if unknown := sorted(params.keys() - _KNOWN):
            raise InvalidInput(f"unknown job parameters: {', '.join(unknown)}; known: {', '.join(sorted(_KNOWN))}")
        max_steps = None if params.get("max_steps") is None else _whole(params["max_steps"], "max_steps")
        batch, name, seed = (params.get(key) for key in ("pairs_batch", "recipe", "seed"))
        if batch is not None and not isinstance(batch, str):
            raise InvalidInput("pairs_batch must be the name of an imported file's batch")
        if repeats is None:
            recipe = recipe_named(str(name or settings.recipe), max_steps)
        elif batch is not None:
            raise InvalidInput("a snapshot says itself what was imported: leave pairs_batch out")
        else:
            recipe = recipe_named(str(name), max_steps) if name else within(repeats.recipe, max_steps)
            batch, seed = repeats.pairs_batch, repeats.seed if seed is None else seed
        return cls(
            recipe=recipe,
            seed=_whole(seed or 0, "seed"),
            pairs_batch=batch,
            scheduled=job.requested_by == SCHEDULE,
            repeats=repeats,
        )

    @property
    def imported_only(self) -> bool:
        return self.pairs_batch is not None

    def as_json(self, settings: Settings) -> Json:
        """What the snapshot keeps: same parameters, base and seed give the same model."""
        return {
            "recipe": self.recipe.as_json(),
            "seed": self.seed,
            "pairs_batch": self.pairs_batch,
            "base": settings.base,
            "encoder": settings.encoder,
            "max_length": settings.max_length,
            "first_stage_lexical": settings.first_stage_lexical,
        }


def take_snapshot(
    db: Database,
    encoder: Encoder,
    settings: Settings,
    order: Order,
    now: datetime,
    cancelled: Callable[[], bool] = lambda: False,
    encoded: Callable[[int, int], None] = lambda _done, _total: None,
) -> Snapshot:
    """Build the order's snapshot and read it back, so that training sees the stored order of rows.

    Of a rehearsal it is the stored one. Raises InvalidInput for an unknown pair batch.
    """
    if order.repeats is not None:
        return order.repeats.snapshot
    with db.read() as tx:
        batches = imports.batches(tx)
    one_file = order.pairs_batch not in (None, "all")
    if one_file and order.pairs_batch not in batches:
        raise InvalidInput(f"no imported pairs with batch {order.pairs_batch!r}; run 'rankloop pairs import' first")
    if order.imported_only and not batches:
        raise InvalidInput("no pairs have been imported; run 'rankloop pairs import FILE' first")
    made = dataset.build(
        db,
        encoder,
        settings,
        now,
        params=order.as_json(settings),
        recipe=order.recipe.name,
        seed=order.seed,
        sources="imported" if order.imported_only else "all",
        enough=lambda groups: too_early(db, groups, order, settings) is None,
        cancelled=cancelled,
        encoded=encoded,
    )
    with db.read() as tx:
        snapshot = snapshots.load(tx, made.hash)
    return _only_batch(db, snapshot, str(order.pairs_batch)) if one_file and len(batches) > 1 else snapshot


def _only_batch(db: Database, snapshot: Snapshot, batch: str) -> Snapshot:
    """The part of a snapshot that comes from one imported file, stored as a snapshot of its own."""
    with db.read() as tx:
        queries = {query for query, _, _ in imports.pairs(tx, batch)}
    kept = replace(
        snapshot,
        hash="",
        pairs=tuple(pair for pair in snapshot.pairs if pair.query in queries),
        train_queries=tuple(one for one in snapshot.train_queries if one.query in queries),
        held_out=tuple(one for one in snapshot.held_out if one.query in queries),
    )
    with db.write() as tx:
        digest = snapshots.save(tx, kept, ())
        return snapshots.load(tx, digest)


def too_early(db: Database, strong: Collection[int], order: Order, settings: Settings) -> str | None:
    """Why a scheduled night trains nothing yet; None where it trains. ``strong``: groups strongly judged now."""
    fresh, needed = newly_judged(db, strong), settings.min_new_groups
    if order.scheduled and fresh < needed:
        return f"{fresh} newly judged questions since the last training; a night needs {needed} for a challenger."
    return None


def newly_judged(db: Database, strong: Collection[int]) -> int:
    """Strongly judged groups that no version has been trained or evaluated with yet."""
    with db.read() as tx:
        return len(set(strong) - registry.judged_groups(tx))


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput(f"{name} must be a whole number from 0, got {value!r}")
    return value
