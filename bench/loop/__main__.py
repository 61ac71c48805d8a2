"""``python -m bench.loop``: make the cells that are not finished yet, in the order of their importance, then report."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from bench.loop import near
from bench.loop.arms import ARMS, Bench, kept_features
from bench.loop.cells import FOLDS, KINDS, RESULTS, USUAL_SEED, Cell, Kept, Key, numbers_of
from bench.loop.lanes import run_lanes, usual
from bench.loop.made import made_with, numbers
from bench.loop.nights import ALWAYS, OBEYED, loop
from bench.loop.report import write_report
from bench.loop.world import DEPTH, prepare, read_corpus
from store.encoder import Encoder
from store.settings import Settings

SEED = USUAL_SEED
CORPUS = Path("../shared/data/cosqa")
WORK = Path("bench/out/loop")
ORDER = (
    ("no-rerank", 0),
    ("base", 0),
    (ALWAYS, 10),
    ("oracle", 0),
    ("predecessor", 10),
    ("seed", 10),
    (ALWAYS, 0),
    (ALWAYS, 30),
    (OBEYED, 10),
    (OBEYED, 0),
    (OBEYED, 30),
)
"""(arm, wrong votes in per cent), the most telling first."""
EXTRA = (("recipe", 10), ("recipe", 0), ("recipe", 30))
"""Made only where ``--only`` names the arm: cheap comparisons of shares of wrong votes."""

console = Console(highlight=False)


def keys(only: Sequence[str] | None = None, folds: Sequence[str] = FOLDS) -> list[Key]:
    """Every cell of the table, or those of some arms, which may be extra ones."""
    wanted = ORDER if not only else [arm for arm in (*ORDER, *EXTRA) if arm[0] in only]
    return [Key(arm, wrong, fold) for arm, wrong in wanted for fold in folds]


def machine() -> dict[str, object]:
    """Where a cell was made: timings depend on it."""
    return {"processors": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()}


def make(bench: Bench, key: Key, kept: Kept) -> Cell:
    """Make one cell. Raises RankloopError when a job fails."""
    began, by = time.monotonic(), made_with(key.arm)
    if key.arm in ARMS:
        cell = ARMS[key.arm](bench, key)
    else:
        always = kept.get(Key(ALWAYS, key.wrong, key.fold))
        if key.arm == OBEYED and always is not None and _same(always, bench):
            cell = replace(always, key=key)
        else:
            cell = loop(bench.world, bench.features, key, bench.seed).run()
    made = {"seconds": round(time.monotonic() - began, 1), "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", **machine()}
    return replace(cell, notes={**cell.notes, "made": made, "made_with": by})


def _same(always: Cell, bench: Bench) -> bool:
    """Whether obeying the gate would have done just what was done: everything promoted, by today's numbers."""
    current = always.seed == bench.seed and numbers_of(always) == numbers(always.key.arm)
    return current and all(night.decision == "promote" for night in always.nights)


def until(text: str, now: datetime | None = None) -> datetime:
    """The next time that it is HH:MM, UTC: no cell is begun after it."""
    hour, minute = (int(part) for part in text.split(":"))
    now = now or datetime.now(UTC)
    named = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return named if named > now else named + timedelta(days=1)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder with corpus.jsonl and queries-dev.jsonl")
    parser.add_argument("--work", type=Path, default=WORK, help="scratch: index, data directories, features")
    parser.add_argument("--results", type=Path, default=RESULTS, help="finished cells")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where loop.md and img/loop.png go")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--functions", type=int, help="a slice of the corpus, for a dry run")
    parser.add_argument("--queries", type=int, help="a slice of the queries, for a dry run")
    parser.add_argument("--only", nargs="*", help="arms to make, for example: oracle rankloop-always")
    parser.add_argument(
        "--kinds", nargs="*", choices=KINDS, default=KINDS, help="kinds of query that arms other than rankloop score"
    )
    parser.add_argument("--depth", type=int, default=DEPTH, help="candidates of each list that evaluation reranks")
    parser.add_argument("--until", type=until, help="HH:MM UTC after which no cell is begun")
    parser.add_argument("--folds", nargs="+", choices=FOLDS, default=FOLDS, help="halves to make")
    parser.add_argument("--lanes", type=int, choices=(1, 2), default=usual(), help="2: each half on its own core")
    parser.add_argument("--report", action="store_true", help="make nothing, only report")
    return parser.parse_args()


def end(_signal: int, _frame: object) -> None:
    """Told to end: leave as an error would, which stops the server; told again, go on leaving."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def main() -> None:
    signal.signal(signal.SIGTERM, end)
    args = parse()
    kept, whole = Kept(args.results), tuple(args.folds) == FOLDS
    began = time.monotonic()
    if not args.report:
        work(args, kept, keys(args.only, args.folds), in_lanes=whole and args.lanes > 1)
    if whole:  # a lane leaves the report to the process that began it
        console.print(write_report(kept.all(), keys(), args.docs, near.read(args.results)), markup=False)
        console.print(f"all in {_since(began)}")


def work(args: argparse.Namespace, kept: Kept, wanted: Sequence[Key], *, in_lanes: bool) -> None:
    """Make what is missing, one cell after the other, or each half's in a lane of its own."""
    corpus = read_corpus(args.corpus, args.functions, args.queries)
    began = time.monotonic()
    words = "paraphrased" in args.kinds
    world = prepare(corpus, args.work, args.seed, depth=args.depth, paraphrased=words)
    console.print(f"{len(corpus.code):,} functions, {len(corpus.questions)} queries; ready in {_since(began)}")
    encoder = Encoder.load(Settings().encoder)
    features = kept_features(world, encoder)
    if in_lanes:
        features.prepare((query, one.chunk.text) for query, found in world.lists.items() for one in found)
        console.print(f"features of {len(world.lists):,} lists; {_since(began)} since the start")
        run_lanes(args.work, sys.argv[1:])
        return
    bench = Bench(world, features, encoder, args.seed, tuple(args.kinds))
    for key in wanted:
        if args.until is not None and datetime.now(UTC) > args.until:
            console.print(f"stopped before {key.name}: it is after {args.until:%H:%M}")
            break
        began = time.monotonic()
        kept.ensure(
            key,
            args.seed,
            len(corpus.questions),
            _maker(bench, key, kept),
            kinds=args.kinds,
            depth=args.depth,
            numbers=numbers(key.arm),
        )
        console.print(f"{datetime.now(UTC):%H:%M:%S} {key.name}: {_since(began)}")


def _maker(bench: Bench, key: Key, kept: Kept) -> Callable[[], Cell]:
    return lambda: make(bench, key, kept)


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"


if __name__ == "__main__":
    main()
