"""What the gate saw of a challenger, beside what was true of it: its gain on questions that nobody asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.loop.cells import Cell, Night
from bench.loop.nights import ALWAYS
from bench.loop.scoring import Rank, ndcg_at_10

_UNSEEN = re.compile(r": ([+\N{MINUS SIGN}-][\d.]+) on (\d+) that it was not trained on")
_SAID = re.compile(r"against the champion's [\d.]+ on (\d+) judged questions \(([+\N{MINUS SIGN}-][\d.]+)")


@dataclass(frozen=True, slots=True)
class Seen:
    """One night of a loop that promotes every challenger. Gains are of ndcg@10 over the champion of that night."""

    cell: Cell
    night: Night
    judged: int
    gain: float
    """On the judged questions that it was not trained on, as the gate had it: without second opinions."""
    true: float
    """On the half that nobody asked, its questions with a right place among the candidates: the gate's kind."""


def seen(cells: Sequence[Cell], nothing: Sequence[Cell]) -> list[Seen]:
    """Every night whose reasons name the gain. ``nothing``: no rerank on the same halves, which served at first."""
    start = {cell.key.fold: cell.ranks["unseen"] for cell in nothing}
    found = []
    for cell in cells:
        before: Sequence[Rank] = start.get(cell.key.fold, ())
        for night in cell.nights if cell.key.arm == ALWAYS else ():
            said = next((match for reason in night.reasons if (match := _SAID.search(reason))), None)
            if said is not None and len(before) == len(night.unseen):
                without = _UNSEEN.search(said.string)
                judged, gain = (without[2], without[1]) if without else (said[1], said[2])
                gained = float(gain.replace("\N{MINUS SIGN}", "-"))
                found.append(Seen(cell, night, int(judged), gained, _gain(before, night.unseen)))
            before = night.unseen
    return found


def _gain(before: Sequence[Rank], after: Sequence[Rank]) -> float:
    both = [(ndcg_at_10(a), ndcg_at_10(b)) for a, b in zip(after, before, strict=True) if b is not None]
    return float(np.mean([a - b for a, b in both])) if both else 0.0


def seen_table(nights: Sequence[Seen]) -> str:
    """Markdown; empty without a night."""
    if not nights:
        return ""
    lines = [
        "**what the gate saw, and what was true** (ndcg@10 against that night's champion)",
        "",
        "| wrong votes | half | night | judged not trained on | gain on them | gain on those that nobody asked |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.cell.key.wrong} % | {one.cell.key.fold} | {one.night.night} | {one.judged} | {one.gain:+.3f} "
        f"| {one.true:+.3f} |"
        for one in nights
    ]
    saw, true = (float(np.mean(values)) for values in zip(*((one.gain, one.true) for one in nights), strict=True))
    lines.append(f"| mean of {len(nights)} | | | | {saw:+.3f} | {true:+.3f} |")
    for number in sorted({one.night.night for one in nights}):
        some = [one for one in nights if one.night.night == number]
        saw, true = (float(np.mean(values)) for values in zip(*((one.gain, one.true) for one in some), strict=True))
        lines.append(f"| mean of {len(some)} | | {number} | | {saw:+.3f} | {true:+.3f} |")
    return "\n".join(lines)
