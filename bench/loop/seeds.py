"""How much the figures move with the cut and the people: ``python -m bench.loop.seeds --corpus FOLDER --seeds 5``.

Each further seed cuts the halves anew and draws other people; the default recipe learns in one go from what they said
over HTTP. Index, first-stage lists, paraphrases and the features of all lists are those of ``bench.loop``, for no seed
changes them.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.loop.__main__ import CORPUS, WORK, machine, until
from bench.loop.arms import Bench, kept_features, no_rerank_cell, recipe_cell
from bench.loop.cells import FOLDS, KINDS, RESULTS, USUAL_SEED, Cell, Kept, Key
from bench.loop.figures import figure, pooled
from bench.loop.made import earlier, made_with, numbers
from bench.loop.report import between
from bench.loop.world import prepare, read_corpus
from store.encoder import Encoder
from store.errors import InvalidInput
from store.settings import Settings

BEGIN, END = "<!-- seeds: begin -->", "<!-- seeds: end -->"
FIRST = 11
"""The seeds are this one and those after it: none is ``bench.loop``'s own."""
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""97.5 % quantile of Student's t for 1, 2, … degrees of freedom."""
NOTHING, RECIPE = "no-rerank", "recipe"

console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Moved:
    """Gains of several seeds. ``low`` and ``high``: 95 % interval of their mean, by Student's t."""

    mean: float
    deviation: float
    low: float
    high: float


def moved(gains: Sequence[float]) -> Moved:
    """Raises InvalidInput for fewer than 2 or more than 10 gains."""
    if not 2 <= len(gains) <= len(STUDENT) + 1:
        raise InvalidInput(f"an interval over seeds needs 2 to {len(STUDENT) + 1} of them, got {len(gains)}")
    mean, deviation = statistics.mean(gains), statistics.stdev(gains)
    reach = STUDENT[len(gains) - 2] * deviation / math.sqrt(len(gains))
    return Moved(mean, deviation, mean - reach, mean + reach)


def kept_of(results: Path, seed: int) -> Kept:
    """One seed's finished cells."""
    return Kept(results / "seeds", f"seed{seed:02d}-")


def keys(wrong: Sequence[int]) -> list[Key]:
    """One seed's cells; no reranking, which costs nothing, first."""
    return [Key(NOTHING, 0, fold) for fold in FOLDS] + [Key(RECIPE, share, fold) for share in wrong for fold in FOLDS]


def make(bench: Bench, key: Key) -> Cell:
    """One cell; its people's data directory is removed once they have been learned from. Raises RankloopError."""
    began, by = time.monotonic(), made_with(key.arm)
    cell = no_rerank_cell(bench, key) if key.arm == NOTHING else recipe_cell(bench, key)
    for folder in ("cells", "artefacts"):
        shutil.rmtree(bench.world.root / folder / bench.place(key), ignore_errors=True)
    made = {"seconds": round(time.monotonic() - began, 1), "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", **machine()}
    return replace(cell, orders=(), notes={**cell.notes, "made": made, "made_with": by})


def work(args: argparse.Namespace, seeds: Sequence[int]) -> None:
    """Make what is missing, seed after seed."""
    corpus = read_corpus(args.corpus, args.functions, args.queries)
    world = prepare(corpus, args.work, USUAL_SEED)
    encoder = Encoder.load(Settings().encoder)
    features = kept_features(world, encoder)
    for seed in seeds:
        bench = Bench(world, features, encoder, seed)
        for key in keys(args.wrong):
            if args.until is not None and datetime.now(UTC) > args.until:
                console.print(f"stopped before seed {seed}, {key.name}: it is after {args.until:%H:%M}")
                return
            began, kept = time.monotonic(), kept_of(args.results, seed)
            kept.ensure(key, seed, len(corpus.questions), _maker(bench, key), numbers=numbers(key.arm))
            console.print(f"{datetime.now(UTC):%H:%M:%S} seed {seed}, {key.name}: {time.monotonic() - began:.0f} s")


def _maker(bench: Bench, key: Key) -> Callable[[], Cell]:
    return lambda: make(bench, key)


def gains(cells: Sequence[Cell], wrong: int) -> dict[str, float] | None:
    """Kind → gain in mrr@10 over no reranking, both halves pooled; None where a half is missing."""
    by_key = {cell.key: cell for cell in cells}
    arm = [by_key.get(Key(RECIPE, wrong, fold)) for fold in FOLDS]
    nothing = [by_key.get(Key(NOTHING, 0, fold)) for fold in FOLDS]
    mine, other = ([cell for cell in found if cell is not None] for found in (arm, nothing))
    if len(mine) < len(FOLDS) or len(other) < len(FOLDS):
        return None
    return {kind: figure(pooled(mine, kind, "mrr@10"), pooled(other, kind, "mrr@10")).gain for kind in KINDS}


def summary(found: Mapping[int, Sequence[Cell]], wrong: Sequence[int]) -> str:
    """Markdown: each seed's gains, then mean, standard deviation and interval over seeds. ``found``: seed → cells."""
    lines = [
        f"| wrong votes | seed | {' | '.join(kind.replace('_', ' ') for kind in KINDS)} |",
        "|---|---|" + "---|" * len(KINDS),
    ]
    for share in wrong:
        rows = {seed: row for seed, cells in found.items() if (row := gains(cells, share)) is not None}
        for seed, row in rows.items():
            lines.append(f"| {share} % | {seed} | {' | '.join(f'{row[kind]:+.1%}' for kind in KINDS)} |")
        if len(rows) >= 2:
            over = [moved([row[kind] for row in rows.values()]) for kind in KINDS]
            mean = " | ".join(f"**{one.mean:+.1%}** ({one.low:+.1%} to {one.high:+.1%})" for one in over)
            spread = " | ".join(f"{100 * one.deviation:.1f} points" for one in over)
            lines += [f"| {share} % | mean of {len(rows)} (95 % interval) | {mean} |"]
            lines += [f"| {share} % | standard deviation | {spread} |"]
    if len(lines) == 2:
        return "Not run yet."
    return "\n".join([*lines, *_stale(found)])


def _stale(found: Mapping[int, Sequence[Cell]]) -> list[str]:
    other = [f"seed {seed} {name}" for seed, cells in found.items() for name in earlier(cells)[0]]
    return ["", f"Made by an earlier recipe: {', '.join(other)}."] if other else []


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument(
        "--work", type=Path, default=WORK, help="scratch; bench.loop's own saves the index and features"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="finished cells go into its folder seeds")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where loop.md is")
    parser.add_argument("--seeds", type=int, default=5, choices=range(1, len(STUDENT) + 2), metavar="N")
    parser.add_argument("--wrong", type=int, nargs="+", default=[10], metavar="PERCENT", help="shares of wrong votes")
    parser.add_argument("--functions", type=int, help="a slice of the corpus, for a dry run")
    parser.add_argument("--queries", type=int, help="a slice of the queries, for a dry run")
    parser.add_argument("--until", type=until, help="HH:MM UTC after which no cell is begun")
    parser.add_argument("--report", action="store_true", help="make nothing, only report")
    return parser.parse_args()


def main() -> None:
    args = parse()
    seeds = range(FIRST, FIRST + args.seeds)
    if not args.report:
        work(args, seeds)
    text = summary({seed: kept_of(args.results, seed).all() for seed in seeds}, args.wrong)
    between(args.docs / "loop.md", BEGIN, END, text)
    console.print(text, markup=False)


if __name__ == "__main__":
    main()
