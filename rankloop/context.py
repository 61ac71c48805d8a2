"""What every command needs: settings, database, console, the running server's client, and errors in one line."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console

from rankloop.client import Client
from rankloop.locks import holder, server_lock
from store.database import Database, migrate
from store.errors import RankloopError, Unavailable
from store.private import make_private
from store.settings import Settings, load_settings

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Context:
    settings: Settings
    db: Database
    console: Console

    def server_url(self) -> str | None:
        """Address of the server that runs on this data directory, or None."""
        about = holder(server_lock(self.settings.data))
        return None if about is None else str(about.get("url", ""))

    def client(self) -> Client:
        """A client of the running server, with this data directory's admin token. Raises Unavailable without one."""
        url = self.server_url()
        if not url:
            raise Unavailable("no server runs on this data directory: start one with `rankloop serve`")
        return Client(url, token=admin_token(self.settings))


def admin_token(settings: Settings) -> str | None:
    """The admin token as set, or as kept in the data directory."""
    if settings.admin_token is not None:
        return settings.admin_token.get_secret_value()
    file = settings.data / "admin-token"
    return file.read_text(encoding="utf-8").strip() if file.exists() else None


@contextmanager
def open_context() -> Iterator[Context]:
    """Settings and a migrated database, closed again at the end."""
    settings = load_settings()
    make_private(settings.data)
    migrate(settings.database)
    db = Database.open(settings.database)
    try:
        yield Context(settings, db, Console(highlight=False))
    finally:
        db.dispose()


def fail_clearly(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an expected error into one line on stderr and exit code 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except RankloopError as error:
            Console(stderr=True, highlight=False).print(
                f"[bold red]rankloop:[/bold red] {error.message}", soft_wrap=True
            )
            raise typer.Exit(1) from error

    return wrapped
