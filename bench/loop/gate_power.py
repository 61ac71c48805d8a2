"""How many ratings a proof takes: ``python -m bench.loop.gate_power``, from the finished oracle and rankloop cells.

Judged groups are drawn with replacement from the pooled unseen queries whose right place is among the candidates; a
fifth of a draw is held out, the rest is out-of-fold evidence, the champion is no reranking. Beside the share that the
gate promotes stands the share with *relevance shuffled within the query*: in every draw each query's one right place is
moved to a candidate of its list chosen at random, each equally likely, and both rankings are measured against it. Any
two rankings of one list are then equally good on average, so every promotion is a false one, and every rejection too.

Truth is taken as perfect here: the right place is CoSQA's, not what people voted for, so wrong votes spoil the version
but never the proof. The shares are those of a first trial against the champion, but for the column of a later one: the
k-th, k = max(1, groups / 20), as when a night was tried at every 20 newly judged groups and none was promoted. The k-th
trial is held to 0.05/k, which bounds each trial and not all of them together: were they independent, one of them would
promote by chance in 1 - prod(1 - 0.05/k), 18 % over 30 trials and 28 % over 365. They share most of their data, so it
is less.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.loop.cells import RESULTS, Cell, Kept
from bench.loop.figures import by_arm
from bench.loop.nights import ALWAYS
from bench.loop.report import TITLES, between
from store.types import Decision
from trainer.gate import Arms, Evidence, GatePolicy, decide
from trainer.significance import FloatArray

BEGIN, END = "<!-- gate power: begin -->", "<!-- gate power: end -->"
SIZES = (100, 250, 400, 500)
RESAMPLES = 200
NIGHT = 20
"""Newly judged groups from which a night makes a challenger, as in the product."""
HELD_OUT = 5
"""One group in so many is held out, as in the product."""
POLICY = GatePolicy(rounds=2_000)
"""The product's but for the rounds of its randomisation test: 200 resamples of each size take minutes, not an hour."""


@dataclass(frozen=True, slots=True)
class Query:
    """One unseen query: its candidates' first-stage ranks in the challenger's order, and the right one's."""

    order: tuple[int, ...]
    right: int


@dataclass(frozen=True, slots=True)
class Power:
    """Shares of the resamples. ``shuffled``: promoted with relevance shuffled within the query."""

    arm: str
    wrong: int
    groups: int
    promoted: float
    rejected: float
    shuffled: float
    resamples: int
    shuffled_rejected: float
    trial: int
    """Which trial ``promoted_later`` is, counted from 1."""
    promoted_later: float


def queries_of(cells: Sequence[Cell]) -> list[Query]:
    """The unseen queries whose right place is among the candidates; the others decide nothing in the gate either."""
    return [
        Query(order, order[rank - 1])
        for cell in cells
        for order, rank in zip(cell.orders, cell.ranks["unseen"], strict=True)
        if rank is not None
    ]


def gains(queries: Sequence[Query], right: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """ndcg@10 of challenger and first stage where candidate ``right`` (by first-stage rank) is the right one."""
    challenger = [_ndcg(query.order.index(place) + 1) for query, place in zip(queries, right, strict=True)]
    return np.array(challenger), np.array([_ndcg(place) for place in right])


def _ndcg(rank: int) -> float:
    return 1.0 / math.log2(rank + 1) if rank <= 10 else 0.0


def power(arm: str, wrong: int, queries: Sequence[Query], groups: int, resamples: int, seed: int) -> Power:
    """Shares over ``resamples`` draws of ``groups`` queries."""
    rng = np.random.default_rng(seed)
    trial = max(1, groups // NIGHT)
    said: list[Decision] = []
    later: list[Decision] = []
    shuffled: list[Decision] = []
    for _ in range(resamples):
        drawn = [queries[place] for place in rng.integers(0, len(queries), groups).tolist()]
        truth = gains(drawn, [query.right for query in drawn])
        said.append(_decision(*truth))
        # What a first trial does not promote, no later one does.
        later.append(_decision(*truth, trial) if said[-1] is Decision.PROMOTE else said[-1])
        moved = [query.order[int(rng.integers(0, len(query.order)))] for query in drawn]
        shuffled.append(_decision(*gains(drawn, moved)))
    return Power(
        arm,
        wrong,
        groups,
        promoted=_share(said, Decision.PROMOTE),
        rejected=_share(said, Decision.REJECT),
        shuffled=_share(shuffled, Decision.PROMOTE),
        resamples=resamples,
        shuffled_rejected=_share(shuffled, Decision.REJECT),
        trial=trial,
        promoted_later=_share(later, Decision.PROMOTE),
    )


def _decision(challenger: FloatArray, nothing: FloatArray, trial: int = 1) -> Decision:
    mine = dict(enumerate(challenger.tolist()))
    other = dict(enumerate(nothing.tolist()))

    def part(held_out: bool) -> Arms:
        chosen = [group for group in mine if (group % HELD_OUT == 0) == held_out]
        first, second = {group: mine[group] for group in chosen}, {group: other[group] for group in chosen}
        return Arms(challenger=first, champion=second, base=second, no_rerank=second)

    evidence = Evidence(held_out=part(True), out_of_fold=part(False), latency_ms=0.0, trial=trial)
    return decide(evidence, POLICY).decision


def _share(decisions: Sequence[Decision], wanted: Decision) -> float:
    return sum(one is wanted for one in decisions) / len(decisions)


def table(found: Sequence[Power]) -> str:
    """Markdown."""
    lines = [
        "| arm | wrong votes | judged groups | promoted | rejected | promoted, relevance shuffled "
        "| rejected, relevance shuffled | promoted at a later trial |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        wrong = "–" if one.arm == "oracle" else f"{one.wrong} %"
        shares = f"{one.promoted:.1%} | {one.rejected:.1%} | {one.shuffled:.1%} | {one.shuffled_rejected:.1%}"
        later = f"{one.promoted_later:.1%} (number {one.trial})"
        lines.append(f"| {TITLES[one.arm]} | {wrong} | {one.groups} | {shares} | {later} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where loop.md is")
    parser.add_argument("--resamples", type=int, default=RESAMPLES)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    found: list[Power] = []
    for (arm, wrong), cells in by_arm(Kept(args.results).all()).items():
        if arm not in (ALWAYS, "recipe", "oracle"):
            continue
        queries = queries_of(cells)
        found += [power(arm, wrong, queries, groups, args.resamples, args.seed) for groups in SIZES]
    file = args.results / "gate-power.json"
    file.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n", encoding="utf-8")
    between(args.docs / "loop.md", BEGIN, END, table(found))
    print(table(found))


if __name__ == "__main__":
    main()
