"""Parts of the report beside the plain tables: how new the questions are, what was promised, what made the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.loop.cells import KINDS, Cell
from bench.loop.figures import against, figure, pooled
from bench.loop.made import earlier
from bench.loop.near import LIMITS, Near
from trainer.significance import FloatArray


@dataclass(frozen=True, slots=True)
class Row:
    """One arm beside no rerank on the same halves. ``title``: its first two columns."""

    title: str
    cells: Sequence[Cell]
    nothing: Sequence[Cell]


def strata(rows: Sequence[Row], near: Near | None) -> str:
    """Gain on unseen queries for all of them and for those below each limit to the nearest asked one."""
    kept = [(row, cosines) for row in rows if near is not None and (cosines := near.of(row.cells)) is not None]
    if not kept:
        return ""
    whole = max((cosines for _, cosines in kept), key=len)
    counts = [int((whole < limit).sum()) for limit in LIMITS]
    below = " | ".join(
        f"below {limit:.2f} ({count}): gain (95 % interval) | p" for limit, count in zip(LIMITS, counts, strict=True)
    )
    lines = [
        "**unseen, by the nearest asked question** (mrr@10; cosine by the product's own encoder)",
        "",
        f"| arm | wrong votes | all ({len(whole)}): gain (95 % interval) | p | {below} |",
        "|---|---|" + "---|---|" * (1 + len(LIMITS)),
    ]
    for row, cosines in kept:
        arm, nothing = (pooled(cells, "unseen", "mrr@10") for cells in (row.cells, row.nothing))
        shown = [_gain(arm[cosines < limit], nothing[cosines < limit]) for limit in (np.inf, *LIMITS)]
        half = "" if len(row.cells) == len(rows[0].cells) else f" (half {row.cells[0].key.fold} only)"
        lines.append(f"| {row.title}{half} | {' | '.join(shown)} |")
    return "\n".join([*lines, "", _meaning(whole, counts)])


def _meaning(whole: FloatArray, counts: Sequence[int]) -> str:
    same, like = len(whole) - counts[0], counts[0] - counts[1]
    return (
        f"The halves are cut by shuffle alone. {same} of the {len(whole)} unseen questions lie at cosine "
        f"{LIMITS[0]:.2f} or more to a question of the asked half: the product takes these for one question, so they "
        f"were asked. {like} more lie between {LIMITS[1]:.2f} and {LIMITS[0]:.2f}: much alike, but two questions to "
        f"the product. Below {LIMITS[0]:.2f} is what nobody asked as the product sees it, below {LIMITS[1]:.2f} what "
        "nobody asked anything much like."
    )


def _gain(arm: FloatArray, nothing: FloatArray) -> str:
    if len(arm) == 0:
        return "– | –"
    found = figure(arm, nothing)
    return f"{found.gain:+.1%} ({found.low:+.1%} to {found.high:+.1%}) | {found.p:.4f}"


def promised(pairs: Sequence[tuple[Row, Sequence[Cell]]]) -> str:
    """Each arm against the predecessor's cells of the same halves: is more than twice its gain reached?"""
    lines = [
        "**more than twice the predecessor's gain?** (mrr@10, absolute, paired by query; 95 % intervals)",
        "",
        "| arm | wrong votes | queries | arm - predecessor | p | gain - twice its gain | more than twice |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, other in pairs:
        for kind in KINDS:
            if any(kind not in cell.ranks for cell in (*row.cells, *other, *row.nothing)):
                continue
            arm, rival, nothing = (pooled(cells, kind, "mrr@10") for cells in (row.cells, other, row.nothing))
            found = against(arm, rival, nothing)
            lines.append(
                f"| {row.title} | {kind.replace('_', ' ')} | {_absolute(found.difference)} | {found.p:.4f} "
                f"| {_absolute(found.beyond)} | {found.decided} |"
            )
    meaning = "Reached: both differences are above 0 with their intervals. A predecessor that loses counts as no gain."
    return "\n".join([*lines, "", meaning]) if len(lines) > 4 else ""


def _absolute(found: tuple[float, float, float]) -> str:
    mean, low, high = found
    return f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"


def provenance(cells: Sequence[Cell]) -> str:
    """Which cells today's code would make otherwise, as far as numbers tell."""
    other, unknown = earlier(cells)
    said = [f"Made by an earlier recipe: {', '.join(other)}."] if other else []
    if unknown:
        said.append(f"Not known by which recipe: {', '.join(unknown)}; they were made before that was kept.")
    return " ".join(said)


def seconds(cells: Sequence[Cell]) -> str:
    """How long the cells took."""
    took = {cell.key.name: float(cell.notes["made"]["seconds"]) for cell in cells if "made" in cell.notes}
    if not took:
        return ""
    each = ", ".join(f"{name} {spent:.0f}" for name, spent in took.items())
    minutes = sum(took.values()) / 60
    said = f"Making the {len(took)} finished cells took {minutes:.0f} minutes together (seconds: {each})."
    untold = len(cells) - len(took)
    return said + (f" Of {untold} more it is not known." if untold else "")
