"""What a scenario promises and what was seen: a row of the table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.loop.report import between
from store.types import Json

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEADINGS = ("what", "promised", "seen", "holds")


@dataclass(frozen=True, slots=True)
class Check:
    what: str
    promised: str
    seen: str
    holds: bool | None
    """None: nothing was promised, or it could not be measured here."""

    def cells(self) -> tuple[str, str, str, str]:
        return self.what, self.promised, self.seen, {True: "yes", False: "NO", None: "–"}[self.holds]


def none_of(what: str, found: Sequence[object], of: int, unit: str) -> Check:
    """A row that promises 0; what was found instead is named."""
    named = "" if not found else ": " + "; ".join(str(one) for one in found[:3])
    return Check(what, "0", f"{len(found)} of {of:,} {unit}{named}", not found)


def save(results: Path, scenario: str, checks: Sequence[Check], made: Json) -> None:
    """One file a scenario: running one again leaves the others as they are."""
    results.mkdir(parents=True, exist_ok=True)
    content = {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", **made, "checks": [asdict(check) for check in checks]}
    (results / f"{scenario}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def show(scenario: str, checks: Sequence[Check], console: Console) -> None:
    table = Table(*HEADINGS, title=scenario, title_justify="left")
    for check in checks:
        table.add_row(*check.cells(), style="bold red" if check.holds is False else None)
    console.print(table)


def _plain(cell: str) -> str:
    """What a program said may have lines and bars of its own, which would end a table's cell."""
    return " ".join(cell.split()).replace("|", "\\|")


def write_page(results: Path, order: Sequence[str], page: Path) -> str:
    """Put every scenario's latest figures between the marks of the page; the words around them stay."""
    parts = []
    for scenario in order:
        file = results / f"{scenario}.json"
        if not file.is_file():
            parts.append(f"### {scenario}\n\nNot measured yet.")
            continue
        content = json.loads(file.read_text(encoding="utf-8"))
        about = ", ".join(f"{name} {value}" for name, value in content["machine"].items())
        lines = [f"### {scenario}", "", f"{content['at']} UTC, {content['seconds']:,.0f} s; {about}", ""]
        if content.get("smaller"):
            lines += [f"**A smaller run than the scenario's own: {content['smaller']}.**", ""]
        lines += [f"| {' | '.join(HEADINGS)} |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(map(_plain, Check(**one).cells()))} |" for one in content["checks"]]
        parts.append("\n".join(lines))
    text = "\n\n".join(parts)
    between(page, BEGIN, END, text)
    return text
