"""What every command needs: settings, database, console, the running server's client, and errors in one line."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer

from store.errors import RankloopError, Unavailable

if TYPE_CHECKING:
    from rich.console import Console

    from rankloop.client import Client
    from store.database import Database
    from store.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Context:
    settings: Settings
    db: Database
    console: Console

    def server_url(self) -> str | None:
        """Address of the server that runs on this data directory, or None."""
        return server_url(self.settings)


def server_url(settings: Settings) -> str | None:
    """Address of the server that runs on the data directory, or None."""
    from rankloop.locks import holder, server_lock

    about = holder(server_lock(settings.data))
    return None if about is None else str(about.get("url", ""))


def connect() -> Client:
    """A client of the running server, with the data directory's admin token. Raises Unavailable without one."""
    from rankloop.client import Client
    from store.settings import load_settings

    settings = load_settings()
    url = server_url(settings)
    if not url:
        place = settings.data.resolve()
        raise Unavailable(f"no server runs on the data directory {place}: start one with `rankloop serve`")
    return Client(url, token=admin_token(settings))


def admin_token(settings: Settings) -> str | None:
    """The admin token as set, or as kept in the data directory."""
    if settings.admin_token is not None:
        return settings.admin_token.get_secret_value()
    file = settings.data / "admin-token"
    return file.read_text(encoding="utf-8").strip() if file.exists() else None


@contextmanager
def open_context() -> Iterator[Context]:
    """Settings and a migrated database, closed again at the end."""
    from rankloop.consoles import make_console
    from store.database import Database, migrate
    from store.private import make_private
    from store.settings import load_settings

    settings = load_settings()
    make_private(settings.data)
    migrate(settings.database)
    db = Database.open(settings.database)
    try:
        yield Context(settings, db, make_console())
    finally:
        db.dispose()


def fail_clearly(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an expected error into one line on stderr and exit code 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except RankloopError as error:
            from rankloop.consoles import make_console

            console = make_console(stderr=True)
            console.print("[bold red]rankloop:[/bold red] ", end="")
            console.print(error.message, markup=False, soft_wrap=True)
            raise typer.Exit(1) from error

    return wrapped
