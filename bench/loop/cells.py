"""Finished cells: one JSON file each, kept in the repository, so that a stopped bench goes on where it was."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.corpus import Question
from bench.loop.scoring import Rank
from bench.loop.world import DEPTH

RESULTS = Path(__file__).parent / "results"
USUAL_SEED = 7
"""Of the cut into halves, the people and the paraphrases, in all cells but those of ``bench.loop.seeds``."""
FOLDS = ("a", "b")
NIGHTS = 2
"""Before each the whole asked half is asked, every question by another person: 500 rated answers a half."""
KINDS = ("unseen", "paraphrased", "asked_again")


@dataclass(frozen=True, slots=True)
class Key:
    """One cell of the table."""

    arm: str
    wrong: int
    """Wrong votes in per cent."""
    fold: str

    @property
    def name(self) -> str:
        return f"{self.arm}-{self.wrong:02d}-{self.fold}"


@dataclass(frozen=True, slots=True)
class Night:
    """One nightly job. ``unseen``: ranks of the held-out half's right places under what serves after it."""

    night: int
    asked: int
    decision: str | None
    version: int | None
    promoted: bool
    reasons: tuple[str, ...]
    pairs: int
    training_seconds: float
    job_seconds: float
    did: dict[str, int]
    unseen: tuple[Rank, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one arm did with one half. Ranks are in the order of ``halves``; metrics follow from them."""

    key: Key
    seed: int
    queries: int
    ranks: dict[str, tuple[Rank, ...]]
    """Kind of query → rank of the right place of each, None where it was no candidate."""
    nights: tuple[Night, ...] = ()
    pairs: int = 0
    training_seconds: float = 0.0
    weight: float | None = None
    """Of ``rerank_score`` in the blend."""
    orders: tuple[tuple[int, ...], ...] = ()
    """Of each unseen query the first-stage ranks of its candidates in their final order: for the gate's power."""
    depth: int = DEPTH
    """Candidates of each list that were reranked."""
    notes: dict[str, Any] = field(default_factory=dict)


def halves(questions: Sequence[Question], fold: str, seed: int) -> tuple[list[Question], list[Question]]:
    """(asked, held out): the questions shuffled once and cut in two; the folds change the halves' places."""
    shuffled = list(questions)
    random.Random(seed).shuffle(shuffled)
    middle = len(shuffled) // 2
    first, second = shuffled[:middle], shuffled[middle:]
    return (first, second) if fold == FOLDS[0] else (second, first)


def numbers_of(cell: Cell) -> str | None:
    """The hash of the numbers that a cell was made by; None for one that was made before that was kept."""
    found: str | None = cell.notes.get("made_with", {}).get("numbers")
    return found


class Kept:
    """The folder of finished cells. ``prefix`` begins the name of each one's file."""

    def __init__(self, folder: Path, prefix: str = "") -> None:
        self._folder, self._prefix = folder, prefix

    def get(self, key: Key) -> Cell | None:
        file = self._file(key)
        return _cell(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None

    def put(self, cell: Cell) -> Path:
        """Written whole or not at all."""
        file = self._file(cell.key)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(asdict(cell), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        part.rename(file)
        return file

    def all(self) -> list[Cell]:
        files = sorted(self._folder.glob(f"{self._prefix}*-*-[ab].json"))
        return [_cell(json.loads(file.read_text(encoding="utf-8"))) for file in files]

    def ensure(
        self,
        key: Key,
        seed: int,
        queries: int,
        make: Callable[[], Cell],
        *,
        kinds: Sequence[str] = KINDS,
        depth: int = DEPTH,
        numbers: str | None = None,
    ) -> Cell:
        """The kept cell, or a newly made one where it differs in seed, size or depth, or lacks a wanted kind.

        With ``numbers`` (``bench.loop.made``) also where other numbers made it; where they are not known it is kept,
        and the report names it.
        """
        cell = self.get(key)
        wanted = (seed, queries, depth)
        if cell is None or (cell.seed, cell.queries, cell.depth) != wanted or not cell.ranks.keys() >= set(kinds):
            stale = True
        else:
            stale = numbers is not None and numbers_of(cell) not in (None, numbers)
        if cell is None or stale:
            cell = make()
            self.put(cell)
        return cell

    def _file(self, key: Key) -> Path:
        return self._folder / f"{self._prefix}{key.name}.json"


def night_of(raw: dict[str, Any]) -> Night:
    """From JSON."""
    return Night(**{**raw, "reasons": tuple(raw["reasons"]), "unseen": tuple(raw["unseen"])})


def _cell(raw: dict[str, Any]) -> Cell:
    nights = tuple(night_of(night) for night in raw["nights"])
    ranks = {kind: tuple(found) for kind, found in raw["ranks"].items()}
    orders = tuple(tuple(order) for order in raw["orders"])
    return Cell(**{**raw, "key": Key(**raw["key"]), "ranks": ranks, "nights": nights, "orders": orders})
