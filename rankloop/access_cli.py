"""``rankloop repos …``, ``token`` and ``sign-out``: what is indexed, who may see it, and tokens for scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from rankloop.context import fail_clearly, open_context
from store.types import Role

if TYPE_CHECKING:
    from store.visibility import Readers

app = typer.Typer(no_args_is_help=True, help="What is indexed, and who may see it.")
Name = Annotated[str, typer.Argument(help="The repository.")]


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="repos")
    root.command()(token)
    root.command()(sign_out)


@app.command("list")
@fail_clearly
def list_repos() -> None:
    """The repositories: where they are, what of them is indexed, and since when."""
    from rankloop.consoles import print_line
    from store import repos, visibility

    with open_context() as context:
        with context.db.read() as tx:
            found = [(repo, visibility.readers_of(tx, repo.name).restricted) for repo in repos.list_all(tx)]
        if not found:
            context.console.print("No repositories. Index one with `rankloop index PATH`.")
        for repo, limited in found:
            when = f"{repo.indexed_at:%Y-%m-%d %H:%M} UTC" if repo.indexed_at else "never"
            known = f"{repo.files:,} files, {repo.chunks:,} chunks, indexed {when}{', limited' if limited else ''}"
            print_line(context.console, f"{repo.name}  {repo.path}  ({known})", 2)


@app.command()
@fail_clearly
def show(name: Name) -> None:
    """Say who may see a repository."""
    from store import visibility

    with open_context() as context, context.db.read() as tx:
        context.console.print(_sentence(name, visibility.readers_of(tx, name)), markup=False)


@app.command()
@fail_clearly
def limit(
    name: Name,
    person: Annotated[list[str] | None, typer.Option(help="A person who may see it; repeat for more.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group that may see it; repeat for more.")] = None,
) -> None:
    """Limit a repository to these people and groups, and to administrators. Counts from the next request on."""
    from store.visibility import Readers

    _put(name, Readers(True, frozenset(person or ()), frozenset(group or ())))


@app.command(name="open")
@fail_clearly
def open_(name: Name) -> None:
    """Let everybody see a repository."""
    from store.visibility import Readers

    _put(name, Readers())


@fail_clearly
def token(
    name: Annotated[str, typer.Argument(help="Whom the script is called: its questions and ratings carry this name.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.USER,
    group: Annotated[list[str] | None, typer.Option(help="A group that it is in; repeat for more.")] = None,
    days: Annotated[int, typer.Option(help="How long it is good for.", min=1, max=3650)] = 30,
) -> None:
    """Print a token for a script, to be sent as `Authorization: Bearer TOKEN`. It is shown only now."""
    from server.access import account_name, group_names
    from store import sessions

    groups = sorted(group_names(group or ()))
    with open_context() as context, context.db.write() as tx:
        called = account_name(name, "the name")
        life = timedelta(days=days)
        typer.echo(sessions.create(tx, "session", called, role, life, datetime.now(UTC), groups))


@fail_clearly
def sign_out(name: Annotated[str, typer.Argument(help="The person, or the name of a script's token.")]) -> None:
    """End all sessions and tokens of a person, from the next request on."""
    from store import sessions

    with open_context() as context:
        with context.db.write() as tx:
            ended = sessions.revoke_all(tx, name, datetime.now(UTC))
        context.console.print(f"{name}: {ended} sessions and tokens ended.", markup=False)


def _put(name: str, readers: Readers) -> None:
    from store import visibility

    with open_context() as context:
        with context.db.write() as tx:
            kept = visibility.limit(tx, name, readers)
        context.console.print(_sentence(name, kept), markup=False)


def _sentence(name: str, readers: Readers) -> str:
    if not readers.restricted:
        return f"{name}: everybody who may ask sees it."
    who = [f"person {one}" for one in sorted(readers.people)] + [f"group {one}" for one in sorted(readers.groups)]
    return f"{name}: only {', '.join([*who, 'administrators'])}."
