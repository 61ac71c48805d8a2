"""The table (Markdown) and the plot of quality against nights, from finished cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.loop.cells import FOLDS, KINDS, Cell, Key
from bench.loop.figures import Figure, by_arm, figure, pooled, scores, share_of
from bench.loop.near import Near
from bench.loop.nights import ALWAYS, OBEYED
from bench.loop.sections import Row, promised, provenance, seconds, strata
from bench.loop.seen import seen, seen_table
from bench.loop.world import DEPTH

TITLES = {
    "no-rerank": "no rerank",
    "base": "base",
    "predecessor": "predecessor recipe",
    "seed": "seed recipe",
    "recipe": "default recipe, one go",
    ALWAYS: "rankloop, always promoted",
    OBEYED: "rankloop, gate obeyed",
    "oracle": "oracle",
}
NOTHING = ("no-rerank", 0)
ORACLE = ("oracle", 0)
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
Table = Mapping[tuple[str, int], list[Cell]]


def write_report(cells: Sequence[Cell], wanted: Sequence[Key], docs: Path, near: Near | None = None) -> str:
    """Write the figures between the marks of ``docs/loop.md`` (the words around them stay) and the plot; the text."""
    text = markdown(cells, wanted, near)
    between(docs / "loop.md", BEGIN, END, text)
    plot(by_arm(cells), docs / "img" / "loop.png")
    return text


def between(file: Path, begin: str, end: str, text: str) -> None:
    """Put ``text`` between two marks of a page; a page without them gets both at its end."""
    file.parent.mkdir(parents=True, exist_ok=True)
    page = file.read_text(encoding="utf-8") if file.exists() else "# The loop, measured\n"
    if begin not in page:
        page += f"\n{begin}\n{end}\n"
    before, _, rest = page.partition(begin)
    file.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def markdown(cells: Sequence[Cell], wanted: Sequence[Key], near: Near | None = None) -> str:
    """All tables, which cells are missing, and which an earlier recipe made."""
    table = by_arm(cells)
    have = {cell.key for cell in cells}
    missing = [key.name for key in wanted if key not in have]
    said = ", ".join(missing) if missing else "none"
    parts = [
        *(_quality(table, kind) for kind in KINDS),
        strata([row for arm in ordered(table, "unseen") if arm != NOTHING and (row := _row(table, arm))], near),
        promised(_beside_predecessor(table)),
        _shares(table),
        _training(table),
        seen_table(seen(cells, table.get(NOTHING, []))),
        f"Missing cells: {said}.",
        provenance(cells),
        seconds(cells),
    ]
    return "\n\n".join(part for part in parts if part)


def _row(table: Table, arm: tuple[str, int]) -> Row | None:
    nothing = _beside(table, NOTHING, table[arm])
    if nothing is None or any("unseen" not in cell.ranks for cell in nothing):
        return None
    return Row(named(arm), table[arm], nothing)


def _beside_predecessor(table: Table) -> list[tuple[Row, list[Cell]]]:
    """Both loops, at the shares of wrong votes at which the predecessor was measured."""
    found = []
    for arm in ordered(table):
        if arm[0] in (ALWAYS, OBEYED):
            row, other = _row(table, arm), _beside(table, ("predecessor", arm[1]), table[arm])
            if row is not None and other is not None:
                found.append((row, other))
    return found


def ordered(table: Table, *kinds: str) -> list[tuple[str, int]]:
    """Arms in the table's order, those that scored all these kinds of query."""
    names = list(TITLES)
    there = [arm for arm in table if all(set(kinds) <= cell.ranks.keys() for cell in table[arm])]
    return sorted(there, key=lambda arm: (names.index(arm[0]), arm[1]))


def _beside(table: Table, other: tuple[str, int], cells: Sequence[Cell]) -> list[Cell] | None:
    """Another arm's cells of the same halves; None where one is not finished."""
    by_fold = {cell.key.fold: cell for cell in table.get(other, [])}
    folds = [cell.key.fold for cell in cells]
    return [by_fold[fold] for fold in folds] if set(folds) <= by_fold.keys() else None


def _quality(table: Table, kind: str) -> str:
    lines = [
        f"**{kind.replace('_', ' ')}**",
        "",
        "| arm | wrong votes | queries | mrr@10 | gain (95 % interval) | p | ndcg@10 | gain (95 % interval) | p |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for arm in ordered(table, kind):
        cells = table[arm]
        nothing = _beside(table, NOTHING, cells)
        if nothing is None or any(kind not in cell.ranks for cell in nothing):
            continue
        mrr, ndcg = (
            figure(pooled(cells, kind, metric), pooled(nothing, kind, metric)) for metric in ("mrr@10", "ndcg@10")
        )
        half = "" if len(cells) == len(FOLDS) else f" (half {cells[0].key.fold} only)"
        depth = "" if arm == NOTHING or cells[0].depth == DEPTH else f" (top {cells[0].depth} reranked)"
        lines.append(f"| {named(arm)} | {mrr.queries}{half}{depth} | {shown(mrr)} | {shown(ndcg)} |")
    return "\n".join(lines) if len(lines) > 4 else ""


def named(arm: tuple[str, int]) -> str:
    wrong = "–" if arm[0] in ("no-rerank", "base", "oracle") else f"{arm[1]} %"
    return f"{TITLES[arm[0]]} | {wrong}"


def shown(figure: Figure) -> str:
    if figure.difference == (0.0, 0.0, 0.0):
        return f"{figure.mean:.4f} | – | –"
    interval = f"{figure.low:+.1%} to {figure.high:+.1%}"
    return f"{figure.mean:.4f} | {figure.gain:+.1%} ({interval}) | {figure.p:.4f}"


def _shares(table: Table) -> str:
    lines = ["**share of the oracle's gain** (mrr@10)", "", f"| arm | wrong votes | {' | '.join(KINDS)} |"]
    lines.append("|---|---|" + "---|" * len(KINDS))
    for arm in (one for one in ordered(table) if one[0] in (ALWAYS, OBEYED, "recipe", "predecessor", "seed")):
        oracle, nothing = _beside(table, ORACLE, table[arm]), _beside(table, NOTHING, table[arm])
        if oracle is not None and nothing is not None:
            shares = [_share(table[arm], oracle, nothing, kind) for kind in KINDS]
            lines.append(f"| {named(arm)} | {' | '.join(shares)} |")
    undetermined = "", "Undetermined: the 95 % interval of the oracle's own gain holds 0."
    lines += undetermined if any("undetermined" in line for line in lines) else ()
    return "\n".join(lines) if len(lines) > 4 else ""


def _share(cells: Sequence[Cell], oracle: Sequence[Cell], nothing: Sequence[Cell], kind: str) -> str:
    if any(kind not in cell.ranks for cell in (*cells, *oracle, *nothing)):
        return "–"
    share = share_of(*(pooled(each, kind, "mrr@10") for each in (cells, oracle, nothing)))
    return "undetermined" if share is None else f"{share.share:.0%} ({share.low:.0%} to {share.high:.0%})"


def _training(table: Table) -> str:
    lines = [
        "**training** (each half; seconds as the job counts them)",
        "",
        "| arm | wrong votes | half | night | asked | pairs | training s | job s | weight | decision |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for arm in ordered(table):
        for cell in table[arm]:
            kept_first = bool(cell.nights) and not any(night.promoted for night in cell.nights)
            weight = "–" if cell.weight is None or kept_first else f"{cell.weight:g}"
            for night in cell.nights:
                last = weight if night is cell.nights[-1] else ""
                lines.append(
                    f"| {named(arm)} | {cell.key.fold} | {night.night} | {night.asked} | {night.pairs} | "
                    f"{night.training_seconds:.0f} | {night.job_seconds:.0f} | {last} | {night.decision or '–'} |"
                )
            if not cell.nights and cell.pairs:
                lines.append(
                    f"| {named(arm)} | {cell.key.fold} | – | {cell.queries // 2} | {cell.pairs} | "
                    f"{cell.training_seconds:.0f} | – | {weight} | – |"
                )
    return "\n".join(lines) if len(lines) > 4 else ""


def plot(table: Table, file: Path) -> None:
    """mrr@10 of unseen queries after each night, both halves pooled; no picture before both are finished."""
    both = [arm for arm in ordered(table, "unseen") if len(table[arm]) == len(FOLDS)]
    loops = [arm for arm in both if table[arm][0].nights]
    if NOTHING not in both or not loops:
        return
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    start = float(pooled(table[NOTHING], "unseen", "mrr@10").mean())
    figure, axes = pyplot.subplots(figsize=(7, 4.8), layout="constrained")
    for arm in loops:
        heights = [start, *(_after(table[arm], night) for night in range(len(table[arm][0].nights)))]
        style = "--" if arm[0] == OBEYED else "-"
        axes.plot(range(len(heights)), heights, style, marker="o", label=named(arm).replace(" |", ",") + " wrong")
    for name in (ORACLE, ("predecessor", 10), ("seed", 10)):
        if name in both:
            height = float(pooled(table[name], "unseen", "mrr@10").mean())
            axes.axhline(height, linestyle=":", color="grey")
            axes.annotate(TITLES[name[0]], (0, height), fontsize=8, color="dimgrey", va="bottom")
    axes.set_xticks(range(1 + max(len(table[arm][0].nights) for arm in loops)))
    axes.set_xlabel("nights")
    axes.set_ylabel("mrr@10, unseen queries")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=140)
    pyplot.close(figure)


def _after(cells: Sequence[Cell], night: int) -> float:
    return float(np.concatenate([scores(cell.nights[night].unseen, "mrr@10") for cell in cells]).mean())
