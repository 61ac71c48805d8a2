"""A working week with the gate obeyed: ``python -m bench.loop.week --corpus FOLDER``.

``bench.loop`` asks the same half twice; here a team asks something new every day, and again what was asked before, and
nobody overrules the gate. Each day's questions are answered by what serves that morning and scored before anyone rates
them (test first, train afterwards: progressive validation, Blum, Kalai and Langford, COLT 1999), so no question is
scored by a model that had heard its rating of that day; what is asked again was mostly learned from on an earlier day.
The day after the week is scored and not asked.

Questions are the benchmark's and CoSQA's other labelled ones: the default's numbers were chosen on the second, some
after a look at the first.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench import corpus as corpora
from bench.corpus import Corpus, Question
from bench.harness import served
from bench.loop.__main__ import CORPUS, SEED, WORK, machine
from bench.loop.arms import kept_features
from bench.loop.cells import RESULTS, Night
from bench.loop.made import made_with, numbers
from bench.loop.nights import OBEYED, expect_champion, load, night_from, nightly
from bench.loop.people import ask_and_rate
from bench.loop.person import Model
from bench.loop.report import between
from bench.loop.scoring import ranks
from bench.loop.week_report import BEGIN, END, Day, Week, read_weeks, summary
from bench.loop.world import QUIET, World, prepare, read_corpus
from store.encoder import Encoder
from store.settings import Settings
from store.types import FIRST_STAGE_VERSION, Decision, Json
from trainer.features import FeatureStore

DAYS = 5
NEW = 125
AGAIN = 62
"""Questions of a day that were asked on an earlier one: a third of it. Every second one in other words."""
FRESH, KIN, SAME, OTHER = "new", "new, about a place that others asked for", "again", "again in other words"

console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Asking:
    """One question of a day."""

    question: Question
    kind: str
    origin: str
    """The query that it says again, or its own."""


def plan(questions: Sequence[Question], other: Mapping[str, str], seed: int) -> list[list[Asking]]:
    """What is asked each day, and last of all what is only scored: the rest, and as great a share of old ones.

    ``other``: query → the same in other words. Nothing is asked twice on one day. What was said in these other words
    before is asked again word for word.
    """
    rng = random.Random(f"{seed}:week")
    shuffled = list(questions)
    rng.shuffle(shuffled)
    days: list[list[Asking]] = []
    said: set[str] = set()
    places: set[str] = set()
    for number in range(DAYS + 1):
        first = number * NEW
        new = shuffled[first : first + NEW] if number < DAYS else shuffled[first:]
        old = rng.sample(shuffled[:first], min(first, round(len(new) * AGAIN / NEW)))
        today = [Asking(one, FRESH if places.isdisjoint(one.relevant) else KIN, one.query) for one in new]
        for place, one in enumerate(old):
            words = other[one.query] if place % 2 else one.query
            today.append(Asking(Question(words, one.relevant), SAME if words in said else OTHER, one.query))
        said |= {one.question.query for one in today}
        places |= {path for one in new for path in one.relevant}
        rng.shuffle(today)
        days.append(today)
    return days


def live(world: World, features: FeatureStore, seed: int, wrong: int) -> Week:
    """The whole week on a data directory of its own."""
    began, notes = time.monotonic(), _notes(world)
    data = world.copy_to(f"week-{wrong:02d}-seed{seed:02d}")
    days = plan(world.corpus.questions, world.paraphrases, seed)
    lived: list[Day] = []
    serving, latest = FIRST_STAGE_VERSION, FIRST_STAGE_VERSION
    for number, today in enumerate(days, start=1):
        scored = _scored(world, features, data, today, serving, latest)
        if number > DAYS:
            lived.append(scored)
            break
        night = _day(world, data, today, Model(wrong=wrong / 100), seed, number)
        latest = latest if night.version is None else night.version
        if night.promoted and night.version is not None:
            serving = night.version
        expect_champion(data, serving)
        lived.append(replace(scored, night=night))
        console.print(f"{datetime.now(UTC):%H:%M:%S} day {number}: {night.decision}, version {serving} serves")
    world.keep_features(data)
    made = {"seconds": round(time.monotonic() - began, 1), "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", **machine()}
    return Week(seed, wrong, tuple(lived), {"made": made, **notes})


def _notes(world: World) -> Json:
    return {
        "made_with": made_with(OBEYED),
        "asked": {"days": DAYS, "new": NEW, "again": AGAIN},
        "features_of_earlier_cells": world.night_features.exists(),
    }


def finished(file: Path) -> bool:
    """Whether a week is kept that today's numbers made."""
    if not file.exists():
        return False
    notes = json.loads(file.read_text(encoding="utf-8"))["notes"]
    asked: bool = notes["asked"] == {"days": DAYS, "new": NEW, "again": AGAIN}
    return asked and notes["made_with"]["numbers"] == numbers(OBEYED)


def _day(world: World, data: Path, today: Sequence[Asking], model: Model, seed: int, number: int) -> Night:
    """Ask and rate, then the nightly job; what the gate says is done, over HTTP."""
    with served(data, world.root / f"{data.name}.log", QUIET) as server:
        did = ask_and_rate(server, [one.question for one in today], model, seed, number)
        night = night_from(number, len(today), nightly(server, seed), server, did.as_json())
        proven = night.version is not None and night.decision == Decision.PROMOTE
        if proven and night.version is not None:
            server.client("bench", admin=True).promote(night.version, "bench: the gate says promote")
    return replace(night, promoted=proven)


def _scored(
    world: World, features: FeatureStore, data: Path, today: Sequence[Asking], serving: int, latest: int
) -> Day:
    questions = [one.question for one in today]
    found = {
        version: tuple(ranks(world, questions, load(data, version, features)))
        for version in {FIRST_STAGE_VERSION, serving, latest}
    }
    return Day(
        kinds=tuple(one.kind for one in today),
        origins=tuple(one.origin for one in today),
        serving=serving,
        latest=latest,
        nothing=found[FIRST_STAGE_VERSION],
        served=found[serving],
        challenger=found[latest],
    )


def everything(folder: Path) -> Corpus:
    """The benchmark's questions and the other labelled ones of the same corpus."""
    corpus = read_corpus(folder, None, None)
    return replace(corpus, questions=(*corpus.questions, *corpora.labelled(folder, corpus)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--work", type=Path, default=WORK, help="scratch; bench.loop's own saves the index")
    parser.add_argument("--results", type=Path, default=RESULTS, help="finished weeks go into its folder weeks")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where loop.md is")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--wrong", type=int, nargs="+", default=[10], metavar="PERCENT", help="shares of wrong votes")
    parser.add_argument("--report", action="store_true", help="make nothing, only report")
    args = parser.parse_args()
    folder = args.results / "weeks"
    if not args.report:
        world = prepare(everything(args.corpus), args.work, args.seed)
        features = kept_features(world, Encoder.load(Settings().encoder))
        for wrong in args.wrong:
            file = folder / f"week-{wrong:02d}-seed{args.seed:02d}.json"
            if not finished(file):
                lived = live(world, features, args.seed, wrong)
                folder.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(asdict(lived), separators=(",", ":")) + "\n", encoding="utf-8")
    text = summary(read_weeks(folder))
    between(args.docs / "loop.md", BEGIN, END, text)
    console.print(text, markup=False)


if __name__ == "__main__":
    main()
