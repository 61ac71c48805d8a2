"""``rankloop pairs`` and ``golden``: judged data from files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from rankloop.context import fail_clearly, open_context
from store.errors import InvalidInput

pairs_app = typer.Typer(no_args_is_help=True, help="Labelled pairs from a file.")
golden_app = typer.Typer(no_args_is_help=True, help="Golden questions: what must always be found.")


@contextmanager
def _whole_or_not_at_all() -> Iterator[None]:
    """Say of a refused file that nothing of it was taken."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"{error.message}. Nothing was imported.") from error


@pairs_app.command("import")
@fail_clearly
def pairs_import(
    file: Annotated[
        Path, typer.Argument(help="CSV or JSONL with sentence_0, sentence_1, label or query, passage, label.")
    ],
) -> None:
    """Import labelled pairs (CSV or JSONL): sentence_0, sentence_1, label, or query, passage, label."""
    import hashlib
    from datetime import UTC, datetime

    from rankloop.rows import read_pairs
    from store import imports

    with _whole_or_not_at_all():
        rows = read_pairs(file)
    batch = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    with open_context() as context:
        with context.db.write() as tx:
            added = imports.add_pairs(tx, batch, rows, datetime.now(UTC))
        if added:
            context.console.print(f"{added:,} pairs imported as batch {batch}. Train on them alone with:")
        else:
            context.console.print(f"This file was imported before, as batch {batch}. Train on it alone with:")
        context.console.print(f"  rankloop train --recipe seed --pairs {batch}")


@golden_app.command("import")
@fail_clearly
def golden_import(
    file: Annotated[Path, typer.Argument(help="JSONL or CSV with query, expected and perhaps repo.")],
) -> None:
    """Import golden questions (JSONL or CSV): query, expected (paths or chunk ids; in CSV with ; between), repo."""
    from datetime import UTC, datetime

    from rankloop.consoles import print_line
    from rankloop.rows import read_golden
    from store import golden

    with _whole_or_not_at_all(), open_context() as context:
        rows = read_golden(file)
        warnings: list[str] = []
        with context.db.write() as tx:
            for row in rows:
                try:
                    added = golden.add(tx, row.query, row.repo, row.expected, datetime.now(UTC))
                except InvalidInput as error:
                    raise InvalidInput(f"{file}, line {row.line}: {error.message}") from error
                warnings += golden.warnings(tx, added)
        context.console.print(f"{len(rows):,} golden questions imported.")
        for warning in dict.fromkeys(warnings):
            print_line(context.console, f"Warning: {warning}", 4)


@golden_app.command("list")
@fail_clearly
def golden_list() -> None:
    """All golden questions with their numbers and what they expect."""
    from rankloop.consoles import print_line
    from store import golden

    with open_context() as context:
        with context.db.read() as tx:
            found = [(one, golden.not_indexed(tx, one)) for one in golden.list_all(tx)]
        if not found:
            context.console.print("No golden questions. Add them with `rankloop golden import FILE`.")
        for one, lost in found:
            where = f"  (in {one.repo})" if one.repo else ""
            print_line(context.console, f"{one.id:>4}  {one.query}{where}", 6)
            for place in one.expected:
                print_line(context.console, f"      {place}{'  (not indexed)' if place in lost else ''}", 8)


@golden_app.command("remove")
@fail_clearly
def golden_remove(
    number: Annotated[
        int, typer.Argument(min=1, max=2**53 - 1, help="The question's number, as `rankloop golden list` shows it.")
    ],
) -> None:
    """Remove a golden question."""
    from store import golden

    with open_context() as context:
        with context.db.write() as tx:
            golden.remove(tx, number)
        context.console.print(f"Golden question {number} is removed.")
