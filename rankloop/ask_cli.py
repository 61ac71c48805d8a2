"""``rankloop ask``: the running server's answer with its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rankloop.context import connect, fail_clearly

if TYPE_CHECKING:
    from rich.console import Console

    from server.schemas.asking import AnswerResult, Source


def register(app: typer.Typer) -> None:
    app.command()(ask)


@fail_clearly
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know about the code.")],
    repo: Annotated[str | None, typer.Option(help="Only this repository.")] = None,
) -> None:
    """Ask the running server and print the answer with its sources."""
    from rankloop.consoles import make_console

    with connect() as client:
        answer = client.answer(question, repo=repo)
    show(make_console(), answer)


def show(console: Console, answer: AnswerResult) -> None:
    from rich.markdown import Markdown

    from rankloop.consoles import print_line

    if console.is_terminal:
        console.print(Markdown(answer.answer))
    else:
        console.print(answer.answer.strip(), markup=False)
    repos = sorted({source.repo for source in answer.sources})
    if repos:
        where = f" in {repos[0]}" if len(repos) == 1 else ""
        print_line(console, f"\nSources{where} (* the answer cites it):", 0)
    digits = len(str(max((source.n for source in answer.sources), default=0)))
    for source in answer.sources:
        mark = "*" if source.n in answer.citations else " "
        number = f"[{source.n}]".rjust(digits + 2)
        line = f"{mark} {number} {_place(source, named=len(repos) > 1)}"
        print_line(console, line, digits + 5)
    console.print(f"Ranked by version {answer.model_version}.", style="dim")


def _place(source: Source, *, named: bool) -> str:
    lines = f"{source.path}:{source.start_line}-{source.end_line}"
    parts = [f"{source.repo}  {lines}" if named else lines, source.symbol]
    return "  ".join(part for part in parts if part)
