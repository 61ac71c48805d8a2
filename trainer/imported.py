"""Imported pair files: training rows as they are, and evaluation lists made of the file's own passages.

Such lists are no logged ones: the passages beside the labelled ones are a sample, so they are far easier than a search.
They show whether training works; they are never evidence for a promotion (``trainer.gate`` leaves them out).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from store.errors import InvalidInput
from store.types import EvalQuery, Pair, PairSource, Split, Vector
from trainer.evidence import Place
from trainer.grouping import Grouped

LIST_DEPTH = 50
MOST_LISTS = 200
"""Lists a side: each costs as much scoring as a full rerank."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labelled passages of one imported query."""

    query: str
    place: Place
    labels: Mapping[str, float]
    """content hash → label in [0, 1]; of two labels for one passage the larger."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What the imported files give: rows to train on, lists by side."""

    pairs: tuple[Pair, ...] = ()
    train: tuple[EvalQuery, ...] = ()
    held_out: tuple[EvalQuery, ...] = ()
    queries: Mapping[str, int] = field(default_factory=dict)


def build(
    rows: Iterable[tuple[str, str, float]],
    grouped: Grouped,
    vectors: Mapping[str, Vector],
    rng: np.random.Generator,
    easy: int,
    taken: frozenset[int] = frozenset(),
) -> Imported:
    """``rows``: (query, content hash, label) as stored. ``vectors``: by content hash, shape ``(d,)``.

    ``easy``: random negatives for a query with a positive and fewer negatives than that; 0 leaves the file as it is.
    ``taken``: groups that have a logged list, which is the better evidence.
    Raises InvalidInput for a label outside [0, 1].
    """
    labelled = _labelled(rows, grouped.places)
    if not labelled:
        return Imported()
    train = [one for one in labelled if one.place.split is Split.TRAIN and not one.place.bridged]
    held_out = [one for one in labelled if one.place.split is Split.HELD_OUT]
    own = sorted({text for one in train for text in one.labels})
    everything = sorted({text for one in labelled for text in one.labels})
    pairs = [pair for one in train for pair in _pairs(one, own, grouped, vectors, rng, easy)]
    return Imported(
        pairs=tuple(pairs),
        train=_lists(train, everything, grouped, vectors, rng, taken),
        held_out=_lists(held_out, everything, grouped, vectors, rng, taken),
        queries={
            "train": len(train),
            "held_out": len(held_out),
            "bridged": len(labelled) - len(train) - len(held_out),
        },
    )


def _labelled(rows: Iterable[tuple[str, str, float]], places: Mapping[str, Place]) -> list[Labelled]:
    labels: dict[str, dict[str, float]] = defaultdict(dict)
    for query, text, label in rows:
        if not (math.isfinite(label) and 0 <= label <= 1):
            raise InvalidInput(f"an imported label must be within [0, 1], got {label} for {query!r}")
        labels[query][text] = max(label, labels[query].get(text, 0.0))
    return [Labelled(query, places[query], found) for query, found in labels.items()]


def _pairs(
    one: Labelled,
    passages: Sequence[str],
    grouped: Grouped,
    vectors: Mapping[str, Vector],
    rng: np.random.Generator,
    easy: int,
) -> list[Pair]:
    def pair(text: str, label: float, source: PairSource, reason: str) -> Pair:
        dense = float(grouped.vectors[one.query] @ vectors[text])
        group = one.place.group_id
        return Pair(group, one.query, text, label, 1.0, source, dense_score=dense, reason=reason)

    made = [pair(text, label, PairSource.IMPORTED, "imported") for text, label in one.labels.items()]
    negatives = sum(label <= 0.5 for label in one.labels.values())
    if negatives < len(made):
        others = _sample(passages, frozenset(one.labels), max(0, easy - negatives), rng)
        reason = "a random passage of the imported files"
        made += [pair(text, 0.0, PairSource.RANDOM_NEGATIVE, reason) for text in others]
    return made


def _lists(
    labelled: Sequence[Labelled],
    passages: Sequence[str],
    grouped: Grouped,
    vectors: Mapping[str, Vector],
    rng: np.random.Generator,
    taken: frozenset[int],
) -> tuple[EvalQuery, ...]:
    """One list a group: its labelled passages and others at random, up to the depth, in order of cosine."""
    first: dict[int, Labelled] = {}
    for one in labelled:
        if any(label > 0.5 for label in one.labels.values()) and one.place.group_id not in taken:
            first.setdefault(one.place.group_id, one)
    groups = sorted(first)
    chosen = sorted(groups[int(index)] for index in rng.permutation(len(groups))[:MOST_LISTS])
    made = []
    for group in chosen:
        one = first[group]
        said = frozenset(text for other in labelled if other.place.group_id == group for text in other.labels)
        candidates = [*one.labels, *_sample(passages, said, max(0, LIST_DEPTH - len(one.labels)), rng)]
        query = grouped.vectors[one.query]
        scored = sorted(((float(query @ vectors[text]), text) for text in candidates), key=lambda s: (-s[0], s[1]))
        made.append(
            EvalQuery(
                group_id=group,
                query=one.query,
                split=one.place.split,
                content_hashes=tuple(text for _, text in scored),
                dense_scores=tuple(score for score, _ in scored),
                lexical_scores=(0.0,) * len(scored),
                relevance={text: label if label > 0.5 else 0.0 for text, label in one.labels.items()},
            )
        )
    return tuple(made)


def _sample(passages: Sequence[str], without: frozenset[str], count: int, rng: np.random.Generator) -> list[str]:
    """Up to ``count`` passages at random, none of ``without``."""
    if count <= 0:
        return []
    picks = rng.permutation(len(passages))[: count + len(without)]
    return [passages[int(index)] for index in picks if passages[int(index)] not in without][:count]
