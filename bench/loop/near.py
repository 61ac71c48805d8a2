"""How new an unseen question is: ``python -m bench.loop.near --corpus FOLDER``.

The halves are cut by shuffle alone, so some unseen questions ask what was asked in other words. For each this keeps
the cosine to the nearest asked one, by the product's own encoder, in ``results/near.json``, so that the report needs no
corpus.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.loop.cells import FOLDS, RESULTS, USUAL_SEED, Cell, halves
from bench.loop.world import read_corpus
from store.encoder import Encoder
from store.settings import Settings
from trainer.grouping import TextEncoder
from trainer.significance import FloatArray
from trainer.split import THRESHOLD

CORPUS = Path("../shared/data/cosqa")
LIMITS = (THRESHOLD, 0.8)
"""Cosines. From the first on the product takes two queries for one question."""
_FILE = "near.json"


@dataclass(frozen=True, slots=True)
class Near:
    """``cosines``: fold → of each unseen query, in the order of ``halves``, to the nearest asked one."""

    encoder: str
    seed: int
    cosines: Mapping[str, tuple[float, ...]]

    def of(self, cells: Sequence[Cell]) -> FloatArray | None:
        """Those of the cells' unseen queries, pooled in the cells' order; None for cells of another cut."""
        if any(cell.seed != self.seed or len(cell.ranks["unseen"]) != len(self._fold(cell)) for cell in cells):
            return None
        return np.concatenate([self._fold(cell) for cell in cells])

    def _fold(self, cell: Cell) -> FloatArray:
        return np.array(self.cosines[cell.key.fold], dtype=np.float64)


def nearest(encoder: TextEncoder, unseen: Sequence[str], asked: Sequence[str]) -> list[float]:
    """Cosine of each unseen query to the nearest asked one."""
    found = (encoder.encode(unseen) @ encoder.encode(asked).T).max(axis=1)
    return [round(float(cosine), 6) for cosine in found]


def make(corpus: Path, seed: int) -> Near:
    """Of the whole corpus. Raises FileNotFoundError where it is not there."""
    questions = read_corpus(corpus, None, None).questions
    encoder = Encoder.load(Settings().encoder)
    cosines: dict[str, tuple[float, ...]] = {}
    for fold in FOLDS:
        asked, unseen = ([one.query for one in half] for half in halves(questions, fold, seed))
        cosines[fold] = tuple(nearest(encoder, unseen, asked))
    return Near(encoder.name, seed, cosines)


def read(results: Path) -> Near | None:
    """What was kept, None before."""
    file = results / _FILE
    if not file.exists():
        return None
    raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Near(raw["encoder"], raw["seed"], {fold: tuple(found) for fold, found in raw["cosines"].items()})


def write(results: Path, near: Near) -> Path:
    file = results / _FILE
    file.write_text(json.dumps(asdict(near), separators=(",", ":")) + "\n", encoding="utf-8")
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--seed", type=int, default=USUAL_SEED)
    args = parser.parse_args()
    near = make(args.corpus, args.seed)
    every = np.concatenate([np.array(found) for found in near.cosines.values()])
    print(f"{write(args.results, near)}: {len(every)} unseen queries")
    for limit in LIMITS:
        print(f"{int((every >= limit).sum())} at {limit:g} or more to an asked one")


if __name__ == "__main__":
    main()
