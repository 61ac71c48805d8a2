"""``python -m bench.speed [--only rerank]``: the figures of docs/speed.md, best on a machine that is else idle."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from bench.speed import indexing, memory, night, quality, report, rerank, search, training, users
from bench.speed.timing import Row
from bench.speed.world import FITTED, MEASURED, Speed, prepare
from store.types import Json

RESULTS = Path(__file__).parent / "results"
PAGE = Path("docs/speed.md")
WORK = Path("bench/out/speed")
ROUNDS = 20
INDEXING_ROUNDS = 3
PARTS: Mapping[str, Callable[[Speed, int, Callable[[str], None]], list[Row]]] = {
    "rerank": rerank.measure,
    "quality": quality.measure,
    "users": users.measure,
    "search": search.measure,
    "indexing": lambda speed, rounds, say: indexing.measure(speed, min(rounds, INDEXING_ROUNDS), say),
    "training": training.measure,
    "night": night.measure,
    "memory": memory.measure,
}

console = Console(highlight=False)


def machine() -> Json:
    """Where and beside what it ran: a load above the number of processors makes the timings worthless."""
    return {"processors": os.cpu_count(), "load before": os.getloadavg()[0], "python": platform.python_version()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument("--corpus", type=Path, help="folder with corpus.jsonl and queries-dev.jsonl, as in CoSQA")
    parser.add_argument("--work", type=Path, default=WORK, help="where the index and the version are kept")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="pairs of each figure")
    parser.add_argument("--questions", type=int, default=0, help="at least so many beside the version's own")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    args = parser.parse_args()
    before = machine()
    if before["load before"] > before["processors"]:
        console.print("[yellow]This machine is busy with something else: only the ratios mean anything.[/yellow]")
    console.print(f"Preparing: index, lists, a version fitted on {FITTED} and measured on {MEASURED} questions")
    speed = prepare(args.corpus, args.work, max(4 * args.rounds, args.questions))
    for part in args.only:
        rows = PARTS[part](speed, args.rounds, console.print)
        report.save(rows, args.results, before)
        report.show(rows, console)
    report.write_page(args.results, args.page)
    console.print(f"Figures in {args.results} and {args.page}")


if __name__ == "__main__":
    main()
