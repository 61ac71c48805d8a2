"""The click-and-rate model: every number of how a simulated person looks, clicks and rates. Pure and seeded.

A person knows the one right place, but sees only the sources that they look at, and looks less the lower one stands.
Who sees it clicks it, mostly votes for it, and sometimes votes against what stood above it; who does not may look for
it with the search and name it as a correction. Thumb or stars are about the answer: good where it cites the right
place.

Some people are mistaken. A mistaken person takes another shown source for the right one and does all of this about it,
so the share of wrong votes is the share of mistaken people. In random mode every person takes any shown source.

Each decision has its own random number, drawn in a fixed order whatever is shown: with the same seed a person who errs
at 10 % wrong votes errs at 30 % too, and people differ between arms only where their answers differ.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SHOWN = 8
PEOPLE = 12
SEARCHED = 50
"""Results that a person who looks for the right place by search goes through."""


@dataclass(frozen=True, slots=True)
class Model:
    """Probabilities of each act."""

    look: tuple[float, ...] = (1.0, 0.95, 0.85, 0.75, 0.65, 0.55, 0.5, 0.45)
    """That the source at rank 1, 2, … is looked at."""
    click_right: float = 0.6
    click_other: float = 0.08
    """For each source that is looked at."""
    vote_right: float = 0.8
    vote_above: float = 0.3
    """A vote against a source that was looked at above the right one, at most two of them."""
    correct: float = 0.6
    """Looking for the right place by search, where it was not seen."""
    thumb: float = 0.5
    stars: float = 0.2
    """Thumb or stars, never both."""
    wrong: float = 0.1
    """Share of mistaken people."""
    at_random: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A source as shown; ``right`` as the corpus says."""

    chunk_id: int
    right: bool
    cited: bool


@dataclass(frozen=True, slots=True)
class Acts:
    """What a person does about one answer."""

    clicks: tuple[int, ...]
    votes: tuple[tuple[int, bool], ...]
    thumb: Literal["up", "down"] | None
    stars: int | None
    search: bool
    """Whether they look for the right place by search and name it if it is there."""


def decide(sources: Sequence[Seen], model: Model, rng: random.Random) -> Acts:
    """What a person does who sees these sources, best first."""
    looks, clicks, against = ([rng.random() for _ in range(SHOWN)] for _ in range(3))
    errs, which, votes, corrects, rates = (rng.random() for _ in range(5))
    shown = list(sources[:SHOWN])
    looked = [place for place in range(len(shown)) if looks[place] < model.look[place]]
    right, mistaken = _believed(shown, looked, model, errs, which)
    clicked = [
        shown[place].chunk_id
        for place in looked
        if clicks[place] < (model.click_right if place == right else model.click_other)
    ]
    made: list[tuple[int, bool]] = []
    if right is not None and votes < model.vote_right:
        above = [place for place in looked if place < right and (mistaken or not shown[place].right)]
        made = [(shown[right].chunk_id, True)]
        made += [(shown[place].chunk_id, False) for place in above if against[place] < model.vote_above][:2]
    thumb, stars = _rating(shown, right, rates, model)
    return Acts(tuple(clicked), tuple(made), thumb, stars, right is None and corrects < model.correct)


def _believed(
    shown: Sequence[Seen], looked: Sequence[int], model: Model, errs: float, which: float
) -> tuple[int | None, bool]:
    """The place that the person takes for the right one, None where they found none; and whether it is a mistake."""
    if model.at_random and shown:
        return int(which * len(shown)), True
    others = [place for place, source in enumerate(shown) if not source.right]
    if errs < model.wrong and others:
        return others[int(which * len(others))], True
    return next((place for place in looked if shown[place].right), None), False


def _rating(
    shown: Sequence[Seen], right: int | None, rates: float, model: Model
) -> tuple[Literal["up", "down"] | None, int | None]:
    cited = right is not None and shown[right].cited
    if rates < model.thumb:
        return ("up" if cited else "down"), None
    if rates < model.thumb + model.stars:
        if cited:
            return None, 5 if right == 0 else 4
        return None, 1 if right is None else 2
    return None, None


def person_of(query: str, seed: int, night: int) -> tuple[str, random.Random]:
    """Who asks this query before a night, and their random numbers: another person, mistaken or not, each time."""
    rng = random.Random(f"{seed}:person:{query}:{night}")
    return f"person-{rng.randrange(PEOPLE) + 1:02d}", rng
