"""``python -m bench.fuzz [--examples 1000] [--only PATH…]``: made-up requests to every described call; docs/fuzz.md.

A server with real parts and tiny models is asked in this process. Each request is sent by nobody, by a person and by an
administrator. The figures are kept after each call, so that what was measured is there if the rest is not waited for.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers.utils import logging as transformers_logging

from bench.loop.report import between
from store.encoder import Encoder
from store.types import Json
from tests import tiny
from tests.fuzz_site import FuzzSite, fuzz_site, prepare
from tests.fuzzing import Seen, fuzz, operations
from tests.oidc_provider import provider

FULL = 1000
RESULTS = Path(__file__).parent / "results" / "fuzz.json"
SMALL_RESULTS = Path("bench/out/fuzz.json")
PAGE = Path("docs/fuzz.md")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEADINGS = ("operation", "who", "examples", "statuses", "failures")

console = Console(highlight=False)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=FULL, help=f"of each call; fewer are kept in {SMALL_RESULTS}")
    parser.add_argument("--only", nargs="+", metavar="PATH", help="calls whose path contains one of these")
    parser.add_argument("--missing", action="store_true", help="only calls without figures: a stopped run goes on")
    parser.add_argument("--report", action="store_true", help="send nothing, write the page from the figures kept")
    return parser.parse_args()


def main() -> int:
    args = parse()
    results = RESULTS if args.report or args.examples >= FULL else SMALL_RESULTS
    kept: dict[str, Json] = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}
    broken = 0 if args.report else measure(kept, results, args)
    if results == RESULTS:
        between(PAGE, BEGIN, END, page(kept))
    console.print(f"Figures in {results}" + (f"; [bold red]{broken} failures[/bold red]" if broken else ""))
    return 1 if broken else 0


def measure(kept: dict[str, Json], results: Path, args: argparse.Namespace) -> int:
    """Fuzz and note; the number of failures."""
    broken = 0
    with served() as site, progress() as bar:
        chosen = [one for one in operations(site) if args.only is None or any(part in one.path for part in args.only)]
        if args.missing:
            chosen = [one for one in chosen if one.label not in kept]
        elif args.only is None:
            kept.clear()
        task = bar.add_task("", total=len(chosen))
        for operation in chosen:
            bar.update(task, description=operation.label)
            began = time.monotonic()
            seen = fuzz(site, operation, args.examples)
            kept[operation.label] = content(seen, time.monotonic() - began)
            results.parent.mkdir(parents=True, exist_ok=True)
            results.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            for row in rows(operation.label, kept[operation.label]):
                bar.console.print(" · ".join(row), markup=False, soft_wrap=True)
            for who, one in seen.items():
                broken += len(one.failures)
                for what, shown in one.failures.items():
                    bar.console.print(f"{who}: {what}\n{shown}", style="red", markup=False, soft_wrap=True)
            bar.advance(task)
    return broken


@contextmanager
def served() -> Iterator[FuzzSite]:
    """A server in a folder that is thrown away."""
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.basicConfig(level=logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, provider() as issuer:
        encoder = Encoder.load(str(tiny.encoder(Path(folder) / "encoder")))
        with fuzz_site(prepare(Path(folder), encoder), encoder, issuer.discovery) as site:
            yield site


def progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )


def content(seen: Mapping[str, Seen], seconds: float) -> Json:
    """What is kept of one operation."""
    callers = {
        who: {
            "examples": one.examples,
            "statuses": {str(status): count for status, count in sorted(one.statuses.items())},
            "failures": one.failures,
        }
        for who, one in seen.items()
    }
    return {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "seconds": round(seconds, 1), "callers": callers}


def rows(label: str, kept: Json) -> list[tuple[str, ...]]:
    """As in the table: one row a caller."""
    return [
        (
            label,
            who,
            f"{one['examples']:,}",
            ", ".join(f"{status}: {count:,}" for status, count in one["statuses"].items()),
            "; ".join(one["failures"]) or "0",
        )
        for who, one in kept["callers"].items()
    ]


def page(kept: Mapping[str, Json]) -> str:
    """The table of docs/fuzz.md."""
    callers = [one for operation in kept.values() for one in operation["callers"].values()]
    sent, failures = sum(one["examples"] for one in callers), sum(len(one["failures"]) for one in callers)
    last = max((one["at"] for one in kept.values()), default="never")
    lines = [f"{last} UTC: {len(kept)} calls, {sent:,} requests, {failures} failures.", ""]
    lines += [f"| {' | '.join(HEADINGS)} |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for label, one in kept.items() for row in rows(label, one)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
