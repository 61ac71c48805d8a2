"""``rankloop feedback``: ratings to a file and from one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rankloop.context import fail_clearly, open_context
from store.errors import InvalidInput

app = typer.Typer(no_args_is_help=True, help="Ratings as a file.")


@app.command("export")
@fail_clearly
def feedback_export(file: Annotated[Path, typer.Argument(help="JSONL file to write.")]) -> None:
    """Write every rating that is in force, one JSON object a line."""
    from rankloop.ratings import record
    from store import signals

    with open_context() as context:
        with context.db.read() as tx:
            rows = signals.in_force(tx)
        try:
            with file.open("w", encoding="utf-8") as out:
                out.writelines(json.dumps(record(row), ensure_ascii=False) + "\n" for row in rows)
        except OSError as error:
            raise InvalidInput(f"{file} can't be written: {error}") from error
        context.console.print(f"{len(rows):,} ratings written to {file}.", soft_wrap=True)


@app.command("import")
@fail_clearly
def feedback_import(
    file: Annotated[Path, typer.Argument(help="A file that `rankloop feedback export` wrote.")],
) -> None:
    """Take over ratings of answers that are known here. What somebody has said here since stays in force."""
    from rankloop.ratings import signal, take_over
    from rankloop.rows import read_rows

    rows = [signal(file, number, row) for number, row in read_rows(file)]
    with open_context() as context:
        with context.db.write() as tx:
            counts = take_over(tx, rows)
        context.console.print(f"{counts.pop('added', 0):,} of {len(rows):,} ratings imported.")
        for why, number in sorted(counts.items()):
            context.console.print(f"  {number:,} left out: {why}")
