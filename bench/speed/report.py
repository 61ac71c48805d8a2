"""The figures as a table on the terminal, as JSON, and between the marks of docs/speed.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.loop.report import between
from bench.speed.timing import Row
from store.types import Json

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEADINGS = ("what", "plain", "ours", "ratio", "quartiles", "pairs", "quality and more")


def save(rows: Sequence[Row], results: Path, machine: Json) -> None:
    """One file a part: running one part again leaves the others as they are."""
    results.mkdir(parents=True, exist_ok=True)
    for part in dict.fromkeys(row.part for row in rows):
        own = [row.as_json() for row in rows if row.part == part]
        content = {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "machine": machine, "rows": own}
        (results / f"{part}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load(results: Path) -> dict[str, Json]:
    """Part → its latest figures."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(results.glob("*.json"))}


def show(rows: Sequence[Row], console: Console) -> None:
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*cells(row))
    console.print(table)


def cells(row: Row) -> tuple[str, ...]:
    """What a line of either table shows."""
    more = ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in row.more.items())
    quartiles = "–" if row.quartiles is None else f"{row.quartiles[0]:.2f}–{row.quartiles[1]:.2f}"
    ratio = "–" if row.ratio is None else f"{row.ratio:.2f}×"
    return (row.what, _seconds(row.plain_s), _seconds(row.ours_s), ratio, quartiles, str(row.pairs), more)


def write_page(results: Path, page: Path) -> None:
    """Put every part's latest figures into the page; the words around them stay."""
    parts = []
    for part, content in load(results).items():
        machine = ", ".join(f"{name} {value}" for name, value in content["machine"].items())
        lines = [f"### {part}", "", f"{content['at']} UTC; {machine}", "", f"| {' | '.join(HEADINGS)} |"]
        lines.append("|---|---:|---:|---:|---|---:|---|")
        lines += [f"| {' | '.join(cells(Row(**one)))} |" for one in content["rows"]]
        parts.append("\n".join(lines))
    between(page, BEGIN, END, "\n\n".join(parts))


def _seconds(value: float | None) -> str:
    if value is None or value == 0:
        return "–"
    return f"{1000 * value:.0f} ms" if value < 10 else f"{value:.1f} s"


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
