"""``rankloop train`` and ``rankloop evaluate``: the trainer's jobs, now."""

from __future__ import annotations

from typing import Annotated

import typer

from rankloop.context import fail_clearly


def register(app: typer.Typer) -> None:
    app.command()(train)
    app.command()(evaluate)


@fail_clearly
def train(
    recipe: Annotated[str | None, typer.Option(help="Recipe by name, e.g. seed (default: the setting).")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed, for a repeatable training.")] = None,
    pairs: Annotated[str | None, typer.Option(help="Train on this imported batch of pairs only.")] = None,
    snapshot: Annotated[
        str | None, typer.Option(help="Train again on this stored data set (its hash, or 8 or more characters of it).")
    ] = None,
) -> None:
    """Run the nightly job now: judgments, training, evaluation, gate, and promotion if it is automatic.

    With --snapshot it is a rehearsal of an earlier night: by that data set's recipe and seed unless others are given,
    against today's champion, and never promoted by itself.
    """
    from rankloop.training import run_job
    from store.types import JobKind

    params = {"recipe": recipe, "seed": seed, "pairs_batch": pairs, "snapshot": snapshot}
    run_job(JobKind.NIGHTLY, {key: value for key, value in params.items() if value is not None})


@fail_clearly
def evaluate(version: Annotated[int | None, typer.Argument(help="Version (default: the champion).")] = None) -> None:
    """Evaluate a version on the held-out questions as they are judged today."""
    from rankloop.training import run_job
    from store.types import JobKind

    run_job(JobKind.EVALUATE, {} if version is None else {"version": version})
