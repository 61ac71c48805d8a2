"""``rankloop backup``, ``restore`` and ``doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rankloop.context import fail_clearly
from store.errors import NotFound, RankloopError

if TYPE_CHECKING:
    from rich.console import Console

    from rankloop.findings import Finding


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)
    app.command()(doctor)


@fail_clearly
def backup(file: Annotated[Path, typer.Argument(help="Tar file to write.")]) -> None:
    """Back up ratings, judgments, versions and the champion, also while the server runs."""
    from rankloop import backup as tape
    from rankloop.consoles import make_console
    from store.settings import load_settings

    size = tape.backup(load_settings(), file)
    make_console().print(f"{file}: {size / 1e6:,.1f} MB", soft_wrap=True, markup=False)


@fail_clearly
def restore(file: Annotated[Path, typer.Argument(help="A file that `rankloop backup` wrote.")]) -> None:
    """Restore a backup into an empty data directory."""
    from rankloop import backup as tape
    from rankloop.consoles import make_console
    from store.database import migrate
    from store.settings import load_settings

    settings = load_settings()
    tape.restore(settings, file)
    migrate(settings.database)
    said = f"Restored into {settings.data.resolve()}. Start with `rankloop serve`."
    make_console().print(said, soft_wrap=True, markup=False)


@fail_clearly
def doctor(
    mend: Annotated[bool, typer.Option(help="Mend what can be mended without losing anything.")] = False,
) -> None:
    """Look for what is wrong with the data directory and say what to do."""
    from rankloop import doctor as physician
    from rankloop.consoles import make_console
    from rankloop.findings import Patient
    from store.database import Database
    from store.release import release
    from store.settings import load_settings

    settings, console = load_settings(), make_console()
    if not settings.data.is_dir():
        raise NotFound(
            f"there is no data directory at {settings.data.resolve()}: set RANKLOOP_DATA, or start the server"
        )
    console.print(f"rankloop {release()}, data directory {settings.data.resolve()}", markup=False, soft_wrap=True)
    db = Database.open(settings.database)
    try:
        broken = [_told(finding, console, mend) for finding in physician.examine(Patient(settings, db))]
    finally:
        db.dispose()
    if any(broken):
        raise typer.Exit(1)


def _told(finding: Finding, console: Console, mend: bool) -> bool:
    """Print a finding, mending it where that was asked for; whether a fault is left."""
    from rich.markup import escape

    mark = "[green]ok   [/green]" if finding.ok else "[bold red]fault[/bold red]"
    console.print(f"{mark} {finding.what}: {escape(finding.detail)}", soft_wrap=True)
    if mend and finding.mend is not None:
        try:
            console.print(f"      [green]mended[/green]: {escape(finding.mend())}", soft_wrap=True)
        except (RankloopError, OSError) as error:
            console.print(f"      [yellow]not mended[/yellow]: {escape(str(error))}", soft_wrap=True)
        else:
            return False
    if not finding.ok and finding.advice:
        console.print(f"      {escape(finding.advice)}", soft_wrap=True)
    return not finding.ok
