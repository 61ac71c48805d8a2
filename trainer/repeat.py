"""A rehearsal: a night on a stored snapshot instead of a new one. It counts as no trial and promotes nothing.

What is fixed: pairs, lists, splits, seed and recipe. What is today's: the champion, the guard sets (golden questions
and general set, searched in today's code), latency, settings and libraries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from store import registry, snapshots, texts
from store.database import Connection, Database
from store.errors import InvalidInput
from store.types import REPEATS, Job, Json, Snapshot, Version
from trainer import gate
from trainer.examine import Examined
from trainer.gate import GateResult
from trainer.recipe import AnyRecipe, HeadRecipe, Recipe

PROMOTES_NOT = "a rehearsal is never promoted by itself: promote it on the admin page if it should serve"
_VERSIONS = 100_000


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A stored snapshot, to be trained on again."""

    snapshot: Snapshot
    originals: tuple[Version, ...]
    """What came of the snapshot's own nights, newest first."""

    @property
    def recipe(self) -> AnyRecipe:
        """The recipe that the snapshot records, with all its numbers.

        Raises InvalidInput where it records none, or one that this release doesn't know.
        """
        kept = self.snapshot.params.get("recipe")
        if not isinstance(kept, Mapping):
            raise InvalidInput(f"snapshot {self._name} doesn't say by which recipe it was trained: name one")
        try:
            return HeadRecipe(**kept) if kept.get("loss") == "head" else Recipe(**kept)
        except TypeError as error:
            raise InvalidInput(
                f"the recipe of snapshot {self._name} is of another release ({error}): name one of today's"
            ) from error

    @property
    def seed(self) -> int:
        return int(self.snapshot.params.get("seed") or 0)

    @property
    def pairs_batch(self) -> str | None:
        batch = self.snapshot.params.get("pairs_batch")
        return None if batch is None else str(batch)

    def lost(self, db: Database) -> str | None:
        """Why it cannot be repeated: texts that are gone. None where all are there."""
        opinions = self.snapshot.second_opinions
        lists = (*self.snapshot.train_queries, *self.snapshot.held_out, *(one.query for one in opinions))
        pairs = (*self.snapshot.pairs, *(pair for one in opinions for pair in one.pairs))
        wanted = {pair.content_hash for pair in pairs} | {n for one in lists for n in one.content_hashes}
        with db.read() as tx:
            gone = len(wanted) - len(texts.get(tx, wanted))
        if not gone:
            return None
        return (
            f"Snapshot {self._name} can't be repeated: {gone} of its {len(wanted)} texts are no longer in the "
            "database. Repeat it on a backup from that time."
        )

    def judge(self, examined: Examined, asked: Json) -> tuple[Examined, GateResult]:
        """The gate's decision, with sentences in front that say what was repeated, and what is not as it was.

        ``asked``: ``Order.as_json``. The trial is the original's, where it was against this champion with the same
        seed, recipe and settings; a night's own repetition would otherwise be judged more strictly than the night.
        """
        champion = examined.against.champion
        original, changed = self._original(champion), self._changed(asked)
        if original is not None and not changed and _rival(original) == champion:
            trial = int(original.metrics["against"].get("trial", examined.against.trial))
            against, evidence = replace(examined.against, trial=trial), replace(examined.evidence, trial=trial)
            examined = replace(examined, against=against, evidence=evidence)
        judged = gate.decide(examined.evidence)
        says = self._says(original, changed, champion)
        numbers = {**judged.numbers, "deciding": judged.numbers["deciding"] + len(says)}
        return examined, GateResult(judged.decision, (*says, *judged.reasons), numbers)

    def _says(self, original: Version | None, changed: Sequence[str], champion: int) -> list[str]:
        came = "no version came of it" if original is None else f"version {original.id} came of it"
        says = [
            f"A rehearsal of snapshot {self._name} ({came}): it counts as no trial and is never promoted by itself."
        ]
        if changed:
            says.append(
                f"Not as it was then: {'; '.join(changed)}. So the figures may differ from those of that night."
            )
        if original is not None and (rival := _rival(original)) != champion:
            says.append(
                f"The champion is version {champion}; version {original.id} was compared with version {rival}. So "
                "what is said of the champion, and the decision, may differ from those of that night."
            )
        return says

    @property
    def _name(self) -> str:
        return self.snapshot.hash[:12]

    def _original(self, champion: int) -> Version | None:
        """The newest that was compared with this champion, or else the newest."""
        same = (one for one in self.originals if _rival(one) == champion)
        return next(same, self.originals[0] if self.originals else None)

    def _changed(self, asked: Json) -> list[str]:
        """What ``asked`` (``Order.as_json``) has otherwise than the snapshot, in words."""
        then = self.snapshot.params
        kept = then.get("recipe")
        recipe, before = asked["recipe"], kept if isinstance(kept, Mapping) else {}
        own = [_differs(name, asked[name], then.get(name)) for name in asked if name != "recipe"]
        if recipe["name"] != before.get("name"):
            return [one for one in (_differs("recipe", recipe["name"], before.get("name")), *own) if one]
        inner = [_differs(f"the recipe's {name}", recipe[name], before.get(name)) for name in recipe]
        return [one for one in (*inner, *own) if one]


def judge(examined: Examined, again: Rehearsal | None, asked: Json) -> tuple[Examined, GateResult]:
    """The gate's decision on a night or on a rehearsal. Raises InvalidInput."""
    return (examined, gate.decide(examined.evidence)) if again is None else again.judge(examined, asked)


def asked_for(tx: Connection, job: Job) -> Rehearsal | None:
    """The snapshot that a job names, with what came of it. Raises NotFound, InvalidInput, Unavailable."""
    name = job.params.get("snapshot")
    if name is None:
        return None
    if not isinstance(name, str):
        raise InvalidInput(f"snapshot must be a hash or its beginning, got {name!r}")
    snapshot = snapshots.load(tx, snapshots.find(tx, name))
    made = (one for one in registry.list_all(tx, _VERSIONS) if one.snapshot_hash == snapshot.hash)
    return Rehearsal(snapshot, tuple(one for one in made if REPEATS not in one.metrics and "origin" not in one.metrics))


def _rival(version: Version) -> int | None:
    """The champion that a version was compared with."""
    rival = version.metrics.get("against", {}).get("version")
    return None if rival is None else int(rival)


def _differs(name: str, now: Any, then: Any) -> str | None:
    if now == then:
        return None
    before = "not recorded" if then is None else f"was {then}"
    return f"{name.replace('_', ' ')} is {'none' if now is None else now} ({before})"
