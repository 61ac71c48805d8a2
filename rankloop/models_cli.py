"""``rankloop models …``: versions listed, compared, promoted, rolled back, verified, moved between machines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rankloop.context import Context, fail_clearly, open_context
from store.errors import InvalidInput

if TYPE_CHECKING:
    from store.types import Version

app = typer.Typer(no_args_is_help=True, help="Versions of the reranker.")


Number = Annotated[int, typer.Argument(help="The version's number, as `rankloop models list` shows it.")]
File = Annotated[Path, typer.Argument(help="Tar file to write.")]


def _actor() -> str:
    import getpass

    return f"{getpass.getuser()} (command line)"


def _ensure(context: Context) -> None:
    from store import registry

    with context.db.write() as tx:
        registry.ensure_first_stage(tx, context.settings.first_stage_lexical, datetime.now(UTC))


@app.command("list")
@fail_clearly
def list_versions() -> None:
    """All versions, newest first."""
    from rich.table import Table

    from store import registry

    with open_context() as context:
        _ensure(context)
        with context.db.read() as tx:
            versions = registry.list_all(tx, limit=500, offset=0)
        table = Table("version", "name", "decision", "base", "made", "")
        for v in versions:
            mark = "[bold green]champion[/bold green]" if v.champion else ""
            table.add_row(str(v.id), v.name, v.decision or "", v.base, f"{v.created_at:%Y-%m-%d %H:%M}", mark)
        context.console.print(table)


@app.command()
@fail_clearly
def show(version: Number) -> None:
    """One version: lineage, metrics, decision, and where its model card is."""
    from store import registry

    with open_context() as context:
        _ensure(context)
        with context.db.read() as tx:
            v = registry.get(tx, version)
        _describe(context, v)


def _describe(context: Context, v: Version) -> None:
    from rankloop.consoles import print_line
    from rankloop.training import print_metrics

    lines = {
        "name": v.name,
        "form": v.form.value,
        "base": v.base,
        "parent": v.parent_id,
        "snapshot": v.snapshot_hash,
        "blend": f"{v.blend.dense:g} × dense + {v.blend.lexical:g} × lexical + {v.blend.rerank:g} × rerank",
        "decision": v.decision,
        "card": None if v.path is None else context.settings.models_dir / v.path / "README.md",
    }
    for key, value in lines.items():
        if value is not None:
            context.console.print(f"{key:>9}  {value}", markup=False, soft_wrap=True)
    print_metrics(context, v.metrics)
    for reason in v.reasons:
        print_line(context.console, f"  • {reason}", 4)


@app.command()
@fail_clearly
def compare(
    a: Annotated[int, typer.Argument(help="The version to compare with, e.g. the champion.")],
    b: Annotated[int, typer.Argument(help="The version that is compared with it.")],
) -> None:
    """Two versions on the questions that both were evaluated on."""
    from rich.table import Table

    from server.compare import pair
    from store import evaluations, registry

    with open_context() as context:
        _ensure(context)
        with context.db.read() as tx:
            left, right = registry.get(tx, a), registry.get(tx, b)
            paired = pair(left, right, evaluations.load(tx, a), evaluations.load(tx, b))
        if not paired:
            raise InvalidInput(
                f"versions {a} and {b} were evaluated on no common question: run `rankloop evaluate` on each"
            )
        table = Table(
            "metric", str(a), str(b), "difference", f"{b} wins", "ties", f"{b} loses", title=f"{len(paired)} questions"
        )
        for name in sorted(set.intersection(*({*one.a.metrics} & {*one.b.metrics} for one in paired))):
            pairs = [(one.a.metrics[name], one.b.metrics[name]) for one in paired]
            mean_a, mean_b = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
            wins, losses = sum(y > x for x, y in pairs), sum(y < x for x, y in pairs)
            cells = (f"{mean_a:.4f}", f"{mean_b:.4f}", f"{mean_b - mean_a:+.4f}")
            table.add_row(name, *cells, str(wins), str(len(pairs) - wins - losses), str(losses))
        context.console.print(table)


@app.command()
@fail_clearly
def promote(
    version: Number,
    reason: Annotated[str, typer.Option(help="Why: it goes into the ledger.")],
    force: Annotated[bool, typer.Option(help="Promote against the gate's decision.")] = False,
) -> None:
    """Make a version the champion. A running server swaps within seconds."""
    from store import deployments, registry
    from store.loading import load_version

    with open_context() as context:
        _ensure(context)
        with context.db.read() as tx:
            v = registry.get(tx, version)
            against, generation = deployments.objection(tx, v), deployments.champion(tx).generation
        if against and not force:
            raise InvalidInput(f"{against} Add --force to promote it all the same.")
        load_version(v, context.settings.models_dir, threads=1)
        with context.db.write() as tx:
            entry = deployments.promote(
                tx,
                version,
                _actor(),
                reason,
                datetime.now(UTC),
                forced=against is not None,
                expected_generation=generation,
            )
        context.console.print(f"Version {entry.to_version} is champion (generation {entry.generation}).")


@app.command()
@fail_clearly
def rollback(
    reason: Annotated[str, typer.Option(help="Why: it goes into the ledger.")],
    to: Annotated[int | None, typer.Option(help="Version to go back to (default: the previous champion).")] = None,
) -> None:
    """Go back to an earlier champion and pause automatic promotion."""
    from store import deployments

    with open_context() as context:
        _ensure(context)
        with context.db.write() as tx:
            entry = deployments.rollback(tx, _actor(), reason, datetime.now(UTC), to=to)
        context.console.print(
            f"Version {entry.to_version} is champion again (generation {entry.generation}). "
            "Automatic promotion is paused; resume it on the admin page."
        )


@app.command()
@fail_clearly
def verify(version: Annotated[int | None, typer.Argument(help="One version (default: all).")] = None) -> None:
    """Load versions as the server would: manifest, keys and probe scores checked."""
    from store import registry
    from store.loading import load_version

    with open_context() as context:
        _ensure(context)
        with context.db.read() as tx:
            chosen = registry.list_all(tx, limit=10_000, offset=0) if version is None else [registry.get(tx, version)]
        for v in chosen:
            load_version(v, context.settings.models_dir, threads=0)
            context.console.print(f"version {v.id}: sound")


@app.command("path")
@fail_clearly
def path_of(version: Number) -> None:
    """Print the directory of a version, e.g. for `CrossEncoder(path)`."""
    from store import registry

    with open_context() as context, context.db.read() as tx:
        v = registry.get(tx, version)
        if v.path is None:
            raise InvalidInput(f"version {v.id} does not rerank: it has no directory")
        context.console.print(str((context.settings.models_dir / v.path).resolve()), soft_wrap=True, markup=False)


@app.command("export")
@fail_clearly
def export_version(version: Number, file: File) -> None:
    """Write a version with its lineage to a file, for another Rankloop."""
    from store import registry, transfer

    with open_context() as context:
        with context.db.read() as tx:
            v = registry.get(tx, version)
        size = transfer.export_version(v, context.settings.models_dir, file)
        context.console.print(f"{file}: version {v.id} ({v.name}), {size / 1e6:,.1f} MB", soft_wrap=True, markup=False)


@app.command("import")
@fail_clearly
def import_version(file: Annotated[Path, typer.Argument(help="A file that `rankloop models export` wrote.")]) -> None:
    """Register a version that was made elsewhere. It never serves until somebody promotes it here."""
    from store import transfer

    with open_context() as context:
        _ensure(context)
        v = transfer.import_version(context.db, context.settings.models_dir, file, datetime.now(UTC))
        context.console.print(f"Registered as version {v.id}. What was measured where it was made:")
        _describe(context, v)
        context.console.print(f"Measure it here with `rankloop evaluate {v.id}`.")
