"""Can random votes do harm? ``python -m bench.loop.harm``: ten whole loops of 100 queries rated at random.

Every person takes a shown source chosen at random for the right one and votes, rates and clicks accordingly. Then comes
the nightly job over HTTP. What counts is the truth of the queries that nobody asked: under what serves afterwards (the
gate decides), and under the challenger, had it been promoted regardless.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import served
from bench.loop.__main__ import CORPUS, SEED, WORK
from bench.loop.arms import kept_features
from bench.loop.cells import RESULTS
from bench.loop.figures import scores
from bench.loop.nights import load, night_from, nightly
from bench.loop.people import ask_and_rate
from bench.loop.person import Model
from bench.loop.report import between
from bench.loop.scoring import ranks
from bench.loop.world import QUIET, World, prepare, read_corpus
from store.encoder import Encoder
from store.settings import Settings
from store.types import FIRST_STAGE_VERSION, Decision
from trainer.features import FeatureStore

BEGIN, END = "<!-- harm: begin -->", "<!-- harm: end -->"
LOOPS = 10
ASKED = 100
LARGEST_FALL = 0.01
MOST_PROMOTED = 2


@dataclass(frozen=True, slots=True)
class Harm:
    """One loop. Changes of ndcg@10 on the queries that nobody asked, against no reranking."""

    loop: int
    decision: str | None
    served: float
    """Under what serves afterwards: 0 where the gate kept the champion."""
    challenger: float
    reasons: tuple[str, ...]


def one_loop(world: World, features: FeatureStore, number: int, seed: int) -> Harm:
    """Ask, rate at random, train, and measure."""
    questions = list(world.corpus.questions)
    random.Random(f"{seed}:harm:{number}").shuffle(questions)
    asked, others = questions[:ASKED], questions[ASKED:]
    data = world.copy_to(f"harm-{number}")
    with served(data, world.root / f"harm-{number}.log", QUIET) as server:
        did = ask_and_rate(server, asked, Model(at_random=True), seed + number)
        night = night_from(1, len(asked), nightly(server, seed + number), server, did.as_json())
    world.keep_features(data)
    before = scores(ranks(world, others, load(data, FIRST_STAGE_VERSION, features)), "ndcg@10")
    change = 0.0
    if night.version is not None:
        after = scores(ranks(world, others, load(data, night.version, features)), "ndcg@10")
        change = float(np.mean(after - before))
    promoted = night.decision == Decision.PROMOTE
    return Harm(number, night.decision, change if promoted else 0.0, change, night.reasons)


def summary(found: list[Harm]) -> str:
    """Markdown: each loop, then the two figures that count."""
    lines = ["| loop | decision | ndcg@10 change, served | had it been promoted |", "|---|---|---|---|"]
    lines += [f"| {one.loop} | {one.decision} | {one.served:+.4f} | {one.challenger:+.4f} |" for one in found]
    worst = min((one.served for one in found), default=0.0)
    promoted = sum(one.decision == Decision.PROMOTE for one in found)
    kept = worst >= -LARGEST_FALL and promoted <= MOST_PROMOTED
    lines += [
        "",
        f"{len(found)} loops: largest fall {min(worst, 0.0):+.4f} (allowed {-LARGEST_FALL}), {promoted} promoted "
        f"(allowed {MOST_PROMOTED}): {'holds' if kept else 'BROKEN'}.",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where loop.md is")
    parser.add_argument("--loops", type=int, default=LOOPS)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    world = prepare(read_corpus(args.corpus, None, None), args.work, args.seed)
    features = kept_features(world, Encoder.load(Settings().encoder))
    found: list[Harm] = []
    for number in range(1, args.loops + 1):
        file = args.results / f"harm{number:02d}.json"
        if not file.exists():
            made = one_loop(world, features, number, args.seed)
            file.write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")
        raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found.append(Harm(**{**raw, "reasons": tuple(raw["reasons"])}))
    between(args.docs / "loop.md", BEGIN, END, summary(found))
    print(summary(found))


if __name__ == "__main__":
    main()
