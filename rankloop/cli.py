"""The command line: every act of the service, from the terminal.

The modules of the commands import what costs time (torch, SQLAlchemy, the HTTP framework) when a command runs, never at
the top: a test holds ``--help`` and the commands that only talk to the server to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rankloop import access_cli, ask_cli, data_cli, feedback_cli, index_cli, jobs_cli, keep_cli, models_cli
from rankloop.context import fail_clearly

HELP = """Question answering over your code that learns from ratings.

Everything is kept in the data directory: RANKLOOP_DATA, or .rankloop in the folder where a command runs. The server
listens on RANKLOOP_HOST and RANKLOOP_PORT (127.0.0.1 and 8000); a command finds the server of its data directory by
itself. All settings stand in the README.
"""

app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)
app.add_typer(models_cli.app, name="models")
app.add_typer(data_cli.pairs_app, name="pairs")
app.add_typer(data_cli.golden_app, name="golden")
app.add_typer(feedback_cli.app, name="feedback")
ask_cli.register(app)
index_cli.register(app)
jobs_cli.register(app)
keep_cli.register(app)
access_cli.register(app)


def _log_to_terminal(level: str, texts: bool) -> None:
    """``texts``: the language model's client may log what it sends and receives."""
    import logging

    from rich.console import Console
    from rich.logging import RichHandler

    handler = RichHandler(console=Console(stderr=True), show_path=False)
    logging.basicConfig(level=level.upper(), format="%(message)s", datefmt="%X", handlers=[handler])
    noisy = {"httpx", "httpcore", "apscheduler", "alembic", "sentence_transformers", "openai"}
    for name in noisy - ({"openai"} if texts else set()):
        logging.getLogger(name).setLevel("WARNING")


def _print_release(asked: bool) -> None:
    if not asked:
        return
    from store.release import release

    typer.echo(f"rankloop {release()} in {Path(__file__).parent.parent}")
    raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the release and where it is installed.", callback=_print_release)
    ] = False,
) -> None:
    """Rankloop."""


@app.command()
@fail_clearly
def serve(
    index: Annotated[Path | None, typer.Option(help="Index this folder once the server is up.")] = None,
    repo: Annotated[str | None, typer.Option(help="Name for the indexed folder (default: its own name).")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: RANKLOOP_HOST, 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (default: RANKLOOP_PORT, 8000).")] = None,
    trainer: Annotated[bool, typer.Option(help="Run a trainer process beside the server.")] = True,
) -> None:
    """Start the web server and, beside it, the trainer."""
    from rankloop.leave import leave
    from rankloop.serve import serve as run_server
    from store.settings import load_settings

    settings = load_settings()
    changes = {"host": host, "port": port, "trainer": None if trainer else False}
    settings = settings.model_copy(update={key: value for key, value in changes.items() if value is not None})
    _log_to_terminal(settings.log_level, settings.log_texts)
    run_server(settings, index, repo)
    leave()


@app.command(hidden=True)
@fail_clearly
def trainer(parent: Annotated[int | None, typer.Option(help="End when this process is gone.")] = None) -> None:
    """Run a trainer: the nightly schedule and the job worker."""
    from rankloop.leave import leave
    from rankloop.train_process import run_trainer
    from store.settings import load_settings

    settings = load_settings()
    _log_to_terminal(settings.log_level, settings.log_texts)
    run_trainer(settings, parent)
    leave()


@app.command(hidden=True)
def openapi() -> None:
    """Print the OpenAPI description."""
    from rankloop.openapi import openapi_json

    typer.echo(openapi_json())
