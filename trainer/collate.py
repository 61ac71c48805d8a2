"""From pairs to training rows to batches: tokenised, length-bucketed, with labels, weights and priors beside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder.data_collator import CrossEncoderDataCollator

from store.errors import InvalidInput
from store.types import Json, Pair
from trainer.recipe import Recipe
from trainer.tokens import Tokens

MICRO_BATCH = 4
"""Sequences a forward pass: sorted by length, so that short ones are not padded to the longest. The loss and its
gradient are those of the whole batch, whatever this is."""
MICRO_BATCH_GPU = 32


@dataclass(frozen=True, slots=True)
class Row:
    """One training row: a query with one passage (``bce``) or with all of its list (``listwise``)."""

    query: str
    passages: tuple[str, ...]
    labels: tuple[float, ...]
    weights: tuple[float, ...]
    priors: tuple[float, ...]
    """First-stage part of the final score, in logits."""

    def as_json(self) -> Json:
        return {
            "query": self.query,
            "passages": list(self.passages),
            "labels": list(self.labels),
            "weights": list(self.weights),
            "priors": list(self.priors),
        }


def usable_pairs(pairs: Sequence[Pair], texts: Mapping[str, str]) -> tuple[list[Pair], int]:
    """Pairs that carry weight and whose text exists; and how many lack their text.

    A pair of weight 0 leaves here, so it changes neither batches nor steps.
    """
    weighted = [pair for pair in pairs if pair.weight > 0]
    usable = [pair for pair in weighted if pair.content_hash in texts]
    return usable, len(weighted) - len(usable)


def require_both_classes(pairs: Sequence[Pair]) -> None:
    """Raises InvalidInput when there is nothing to learn from."""
    positives = sum(pair.label > 0.5 for pair in pairs)
    if not pairs:
        raise InvalidInput("nothing to train on: no pair with a weight and a text")
    if positives == 0 or positives == len(pairs):
        kind = "negative" if positives == 0 else "positive"
        raise InvalidInput(f"nothing to learn from: all {len(pairs)} pairs are {kind}; both classes are needed")


def pair_rows(pairs: Sequence[Pair], texts: Mapping[str, str], prior_scale: float, lexical: float) -> list[Row]:
    """One row a pair, weights scaled to mean 1."""
    scale = _mean_weight([pair.weight for pair in pairs])
    return [
        Row(
            pair.query,
            (texts[pair.content_hash],),
            (pair.label,),
            (pair.weight / scale,),
            (prior_scale * (pair.dense_score + lexical * pair.lexical_score),),
        )
        for pair in pairs
    ]


def list_rows(
    pairs: Sequence[Pair],
    texts: Mapping[str, str],
    prior_scale: float,
    lexical: float,
    negatives: int,
    rng: np.random.Generator,
) -> list[Row]:
    """One row a query that has a positive and a negative, with at most ``negatives`` negatives drawn at random.

    Judged negatives are kept before mined ones: nothing is drawn away that a person said. The weights of positives are
    scaled to mean 1 over all rows; those of negatives stay, for they weigh inside the list (see ``ListwiseLoss``).
    """
    lists: dict[tuple[int, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        lists[(pair.group_id, pair.query)].append(pair)
    drawn = [chosen for members in lists.values() if (chosen := _draw(members, negatives, rng))]
    scale = _mean_weight([pair.weight for members in drawn for pair in members if pair.label > 0.5])
    return [
        Row(
            members[0].query,
            tuple(texts[pair.content_hash] for pair in members),
            tuple(pair.label for pair in members),
            tuple(pair.weight / scale if pair.label > 0.5 else pair.weight for pair in members),
            tuple(prior_scale * (pair.dense_score + lexical * pair.lexical_score) for pair in members),
        )
        for members in drawn
    ]


def _draw(members: Sequence[Pair], negatives: int, rng: np.random.Generator) -> list[Pair]:
    mined = {"hard_negative", "random_negative"}
    positive = [pair for pair in members if pair.label > 0.5]
    judged = [pair for pair in members if pair.label <= 0.5 and pair.source not in mined]
    other = [pair for pair in members if pair.label <= 0.5 and pair.source in mined]
    if not positive or not judged + other:
        return []
    room = max(0, negatives - len(judged))
    picks = sorted(rng.permutation(len(other))[:room].tolist())
    return [*positive, *judged[: max(negatives, 1)], *(other[index] for index in picks)]


def _mean_weight(weights: Sequence[float]) -> float:
    return float(np.mean(weights)) if weights else 1.0


def rows_for(
    recipe: Recipe, pairs: Sequence[Pair], texts: Mapping[str, str], lexical: float, epochs: int, seed: int
) -> list[list[Row]]:
    """The rows of each epoch. Listwise epochs draw their negatives anew; pairwise ones repeat."""
    if recipe.loss == "bce":
        return [pair_rows(pairs, texts, recipe.prior_scale, lexical)] * epochs
    rng = np.random.default_rng(seed)
    return [list_rows(pairs, texts, recipe.prior_scale, lexical, recipe.negatives, rng) for _ in range(epochs)]


class RowCollator(CrossEncoderDataCollator):
    """Puts the passages of a batch of rows into micro-batches of about one length, from tokens made at the beginning.

    The batch is a dict whose values the trainer hands to the loss in this order: ``micro_batches`` (list of model
    inputs), ``places`` (n,) the position of each logit in the batch, ``weights`` (n,), ``priors`` (n,), ``groups`` (n,)
    the row each passage belongs to; ``label`` (n,) goes as the loss's second argument. n counts passages.
    """

    def __init__(self, model: CrossEncoder, rows: Iterable[Row]) -> None:
        super().__init__(preprocess_fn=model.preprocess)
        self._tokens = Tokens(model, ((row.query, passage) for row in rows for passage in row.passages))
        self._size = MICRO_BATCH if model.device.type == "cpu" else MICRO_BATCH_GPU

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        texts = [(row["query"], passage) for row in features for passage in row["passages"]]
        order = sorted(range(len(texts)), key=lambda at: (self._tokens.length(texts[at]), at))
        chunks = [order[start : start + self._size] for start in range(0, len(order), self._size)]
        micro = [self._tokens.batch([texts[at] for at in chunk]) for chunk in chunks]
        places = torch.empty(len(order), dtype=torch.long)
        places[torch.tensor(order)] = torch.arange(len(order))
        return {
            "label": _flat(features, "labels"),
            "micro_batches": micro,
            "places": places,
            "weights": _flat(features, "weights"),
            "priors": _flat(features, "priors"),
            "groups": torch.tensor([at for at, row in enumerate(features) for _ in row["passages"]]),
        }


def _flat(features: Sequence[Mapping[str, Any]], column: str) -> torch.Tensor:
    return torch.tensor([value for row in features for value in row[column]], dtype=torch.float32)
