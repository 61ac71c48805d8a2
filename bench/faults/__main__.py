"""``python -m bench.faults [--only kills] [--quick]``: a table and a JSON file each; together docs/faults.md."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from bench.faults import backups, checks, crowd, disk, hangs, kills, leaks, machine, power, publishing, streams, swaps
from bench.faults.checks import Check
from bench.faults.world import World, prepare
from store.types import Json

RESULTS = Path(__file__).parent / "results"
QUICK_RESULTS = Path("bench/out/faults-quick")
WORK = Path("bench/out/faults-work")
"""No name that Python could import: the code that is indexed there is nothing for mypy."""
PAGE = Path("docs/faults.md")
SCENARIOS: Mapping[str, Callable[[World], list[Check]]] = {
    "kills": kills.measure,
    "power": power.measure,
    "publishing": publishing.measure,
    "swaps": swaps.measure,
    "disk": disk.measure,
    "crowd": crowd.measure,
    "hangs": hangs.measure,
    "streams": streams.measure,
    "backups": backups.measure,
    "leaks": leaks.measure,
}

console = Console(highlight=False)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--quick", action="store_true", help=f"a small size, kept in {QUICK_RESULTS}")
    parser.add_argument("--points", type=int, help="how often, instead of the scenario's own number; kept as --quick")
    parser.add_argument("--keep", action="store_true", help="keep a run with --points on the page, marked as smaller")
    parser.add_argument("--work", type=Path, default=WORK, help="scratch: data directories, logs")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page from the figures kept")
    parser.add_argument("--page", type=Path, default=PAGE)
    return parser.parse_args()


def main() -> int:
    args = parse()
    if args.report:
        console.print(checks.write_page(RESULTS, list(SCENARIOS), args.page), markup=False)
        return 0
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # servers and mounts are ended with us
    small = args.quick or (args.points is not None and not args.keep)
    results = QUICK_RESULTS if small else RESULTS
    world = prepare(args.work, args.quick, args.points, console)
    broken = 0
    for name in args.only:
        console.print(f"[bold]{name}[/bold]")
        with machine.watched() as seen:
            began = time.monotonic()
            found = SCENARIOS[name](world)
            seconds = round(time.monotonic() - began, 1)
        made: Json = {"seconds": seconds, "machine": seen, "smaller": world.smaller()}
        checks.save(results, name, found, made)
        checks.show(name, found, console)
        broken += sum(check.holds is False for check in found)
    if not small:
        checks.write_page(results, list(SCENARIOS), args.page)
    console.print(f"Figures in {results}" + (f"; [bold red]{broken} promises broken[/bold red]" if broken else ""))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
