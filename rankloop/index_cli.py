"""``rankloop index``: a folder into the index."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rankloop.context import fail_clearly


def register(app: typer.Typer) -> None:
    app.command()(index)


@fail_clearly
def index(
    path: Annotated[Path, typer.Argument(help="Folder to index.")],
    repo: Annotated[str | None, typer.Option(help="Name of the repository (default: the folder's name).")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep up with edits until Ctrl-C.")] = False,
) -> None:
    """Index a folder, or bring its index up to date. Unchanged chunks are never embedded again."""
    from rankloop.indexing import index_folder

    index_folder(path, repo, watch=watch)
