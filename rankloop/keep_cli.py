"""``rankloop backup``, ``restore`` and ``doctor``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rankloop import backup as tape
from rankloop import doctor as physician
from rankloop.context import fail_clearly, open_context
from store import registry
from store.database import migrate
from store.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)
    app.command()(doctor)


@fail_clearly
def backup(file: Annotated[Path, typer.Argument(help="Tar file to write.")]) -> None:
    """Back up ratings, judgments, versions and the champion, also while the server runs."""
    size = tape.backup(load_settings(), file)
    Console(highlight=False).print(f"{file}: {size / 1e6:,.1f} MB")


@fail_clearly
def restore(file: Annotated[Path, typer.Argument(help="A file that `rankloop backup` wrote.")]) -> None:
    """Restore a backup into an empty data directory."""
    settings = load_settings()
    tape.restore(settings, file)
    migrate(settings.database)
    Console(highlight=False).print(
        f"Restored into {settings.data.resolve()}. Start with `rankloop serve`.", soft_wrap=True
    )


@fail_clearly
def doctor() -> None:
    """Look for what is wrong with the data directory and say what to do."""
    with open_context() as context:
        with context.db.write() as tx:
            registry.ensure_first_stage(tx, context.settings.first_stage_lexical, datetime.now(UTC))
        findings = list(physician.examine(physician.Patient(context.settings, context.db)))
        for finding in findings:
            mark = "[green]ok   [/green]" if finding.ok else "[bold red]fault[/bold red]"
            context.console.print(f"{mark} {finding.what}: {finding.detail}", soft_wrap=True)
            if not finding.ok and finding.advice:
                context.console.print(f"      {finding.advice}", soft_wrap=True)
        if not all(finding.ok for finding in findings):
            raise typer.Exit(1)
