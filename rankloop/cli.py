"""The command line: every act of the service, from the terminal."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

from rankloop import access_cli, data_cli, feedback_cli, index_cli, jobs_cli, keep_cli, models_cli
from rankloop.context import fail_clearly, open_context
from store.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Question answering over your code that learns from ratings."
)
app.add_typer(models_cli.app, name="models")
app.add_typer(data_cli.pairs_app, name="pairs")
app.add_typer(data_cli.golden_app, name="golden")
app.add_typer(feedback_cli.app, name="feedback")
index_cli.register(app)
jobs_cli.register(app)
keep_cli.register(app)
access_cli.register(app)


def _log_to_terminal(level: str, texts: bool) -> None:
    """``texts``: the language model's client may log what it sends and receives."""
    handler = RichHandler(console=Console(stderr=True), show_path=False)
    logging.basicConfig(level=level.upper(), format="%(message)s", datefmt="%X", handlers=[handler])
    noisy = {"httpx", "httpcore", "apscheduler", "alembic", "sentence_transformers", "openai"}
    for name in noisy - ({"openai"} if texts else set()):
        logging.getLogger(name).setLevel("WARNING")


@app.callback()
def _main() -> None:
    """Rankloop."""


@app.command()
@fail_clearly
def serve(
    index: Annotated[Path | None, typer.Option(help="Index this folder once the server is up.")] = None,
    repo: Annotated[str | None, typer.Option(help="Name for the indexed folder (default: its own name).")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    trainer: Annotated[bool, typer.Option(help="Run a trainer process beside the server.")] = True,
) -> None:
    """Start the web server and, beside it, the trainer."""
    from rankloop.leave import leave
    from rankloop.serve import serve as run_server

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

    settings = load_settings()
    _log_to_terminal(settings.log_level, settings.log_texts)
    run_trainer(settings, parent)
    leave()


@app.command()
@fail_clearly
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know about the code.")],
    repo: Annotated[str | None, typer.Option(help="Only this repository.")] = None,
) -> None:
    """Ask the running server and print the answer with its sources."""
    from rich.markdown import Markdown

    with open_context() as context:
        answer = context.client().answer(question, repo=repo)
        context.console.print(Markdown(answer.answer))
        for source in answer.sources:
            mark = "*" if source.n in answer.citations else " "
            context.console.print(
                f"{mark}[{source.n}] {source.path}:{source.start_line}-{source.end_line}  {source.symbol}", markup=False
            )
        context.console.print(f"(answer {answer.answer_id}, version {answer.model_version})", style="dim")


@app.command(hidden=True)
def openapi() -> None:
    """Print the OpenAPI description."""
    from rankloop.openapi import openapi_json

    typer.echo(openapi_json())
