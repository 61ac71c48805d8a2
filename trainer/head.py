"""Fit a linear head over frozen features: residual listwise softmax with an L2 penalty, convex in the weights.

For list i of weight w_i: candidates with scaled features x_j, priors f_j, masses m_j, and a target t_i that sums to 1::

    loss(v) = (sum_i w_i * cross_entropy(t_i, softmax_j(f_j + log m_j + v · x_j)) + penalty * |v|²) / sum_i w_i

The mass of a candidate is its weight over that of the list's heaviest positive, at most 1: in the sum it stands
``m_j`` times, so a judgment that weighs little pulls as little, whichever way it speaks, and at 0 it is not there.
What a weak signal speaks against has mass 1 like a candidate that nobody judged: it is no less wrong than that one.
The target is ``1 - soft_target`` of what people judged and ``soft_target`` of softmax(f + log m), the first stage's own
opinion, without what people judged wrong. With few or lightly weighted lists the penalty wins and the head stays near
zero, where the version ranks as the first stage does. L-BFGS finds the one minimum in seconds, so the same lists always
give the same head.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from store.errors import Cancelled, InvalidInput
from store.types import Pair, PairSource
from trainer.evaluate import FloatArray
from trainer.features import Head
from trainer.recipe import HeadRecipe

MINED = frozenset({PairSource.HARD_NEGATIVE, PairSource.RANDOM_NEGATIVE})
"""Sources of candidates that nobody judged."""
WEAK = frozenset({PairSource.THUMB, PairSource.STARS, PairSource.CLICK})
"""Sources of what nobody said of the chunk itself."""
_UNREACHABLE = -1e9
"""Prior of the padding behind a short list."""


@dataclass(frozen=True, slots=True)
class JudgedList:
    """One query with the candidates that its softmax runs over. Each tuple has one entry a candidate."""

    group_id: int
    query: str
    passages: tuple[str, ...]
    priors: tuple[float, ...]
    target: tuple[float, ...]
    """Sums to 1 over the positives."""
    kept: tuple[float, ...]
    """Share of the first stage's opinion that stands: 1 less the weight of a judgment against the candidate."""
    mass: tuple[float, ...]
    """How often it stands in the sum: 1, or less for a judgment that weighs less than the list."""
    weight: float

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(self.query, passage) for passage in self.passages]


@dataclass(frozen=True, slots=True)
class FitStep:
    iteration: int
    loss: float
    step_length: float
    """The line search's, in place of a learning rate."""


def judged_lists(
    pairs: Sequence[Pair], texts: Mapping[str, str], recipe: HeadRecipe, lexical: float
) -> list[JudgedList]:
    """The list of each query that has a positive and another candidate, within the recipe's budget of pairs.

    ``pairs`` carry weight and have texts (``trainer.collate.usable_pairs``). A list is what was mined: a candidate left
    out as a likely false negative stays out of the softmax, so nothing is said about it either way; left in, it would
    be pushed down as a negative, though it is often a right answer. Several positives share the target by label times
    weight, and the heaviest one's weight is the list's.
    """
    grouped: dict[tuple[int, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        grouped[(pair.group_id, pair.query)].append(pair)
    whole = [members for members in grouped.values() if any(one.label > 0.5 for one in members) and len(members) > 1]
    code = [members for members in whole if members[0].source is PairSource.CODE_QUESTION]
    judged = [members for members in whole if members[0].source is not PairSource.CODE_QUESTION]
    left = recipe.max_pairs - sum(len(members) for members in code)
    room = max(recipe.min_candidates, left // max(1, len(judged)))
    chosen = [*(_within(members, room) for members in judged), *code]
    return [_judged_list(members, texts, recipe.prior_scale, lexical) for members in chosen]


def _within(members: Sequence[Pair], room: int) -> list[Pair]:
    """The heaviest judged candidates of each label up to ``room``, and mined ones in what room is left of it.

    The mined ones are spread evenly over their ranks. A golden question about a large file judges all its chunks right:
    uncut, that one list would set the width of the whole problem.
    """
    mined = [one for one in members if one.source in MINED]
    said = [one for one in members if one.source not in MINED]
    judged = [one for label in (True, False) for one in _heaviest([p for p in said if (p.label > 0.5) is label], room)]
    left = max(room - len(judged), 0 if len({one.label > 0.5 for one in judged}) > 1 else 1)
    if left < len(mined):
        mined = [mined[int(at)] for at in (np.arange(left) * len(mined) / left).astype(int)] if left else []
    return [*judged, *mined]


def _heaviest(members: Sequence[Pair], room: int) -> list[Pair]:
    """At most ``room`` of them, in the order they came in; of equally heavy ones the first."""
    kept = sorted(range(len(members)), key=lambda at: -members[at].weight)[:room]
    return [members[at] for at in sorted(kept)]


def _judged_list(members: Sequence[Pair], texts: Mapping[str, str], scale: float, lexical: float) -> JudgedList:
    right = np.array([one.label * one.weight if one.label > 0.5 else 0.0 for one in members])
    weight = max(one.weight for one in members if one.label > 0.5)
    return JudgedList(
        group_id=members[0].group_id,
        query=members[0].query,
        passages=tuple(texts[one.content_hash] for one in members),
        priors=tuple(scale * (one.dense_score + lexical * one.lexical_score) for one in members),
        target=tuple((right / right.sum()).tolist()),
        kept=tuple(_kept(one) for one in members),
        mass=tuple(1.0 if _weakly_against(one) else min(1.0, one.weight / weight) for one in members),
        weight=weight,
    )


def _weakly_against(one: Pair) -> bool:
    return one.label <= 0.5 and one.source in WEAK


def _kept(one: Pair) -> float:
    against = one.label <= 0.5 and one.source not in MINED and one.source is not PairSource.CODE_QUESTION
    return 1.0 - min(1.0, one.weight) if against else 1.0


def fit_head(
    lists: Sequence[JudgedList],
    features: Callable[[JudgedList], FloatArray],
    recipe: HeadRecipe,
    report: Callable[[FitStep], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Head:
    """The head of least loss. ``features`` of a list: ``(candidates, f)``.

    Raises InvalidInput without a list to learn from, Cancelled within an iteration of being asked.
    """
    learned = [one for one in lists if one.weight > 0]
    if not learned:
        raise InvalidInput("nothing to learn from: no question has a positive and another candidate")
    own = [features(one) for one in learned]
    mean, spread = _scaling(learned, own)
    weights = _minimise(_padded(learned, own, mean, spread, recipe), recipe, report, cancelled)
    plain = weights / spread
    return Head(plain.astype(np.float32), float(-(plain @ mean)))


def _scaling(
    lists: Sequence[JudgedList], features: Sequence[FloatArray]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and spread ``(f,)`` by mass; divided by sqrt(f) too, so that one penalty means the same for every width."""
    masses = [np.array(one.mass, dtype=np.float32)[:, None] for one in lists]
    count = sum(float(mass.sum()) for mass in masses)
    pairs = list(zip(masses, features, strict=True))
    mean = np.sum([(mass * rows).sum(0, dtype=np.float64) for mass, rows in pairs], axis=0) / count
    squares = np.sum([(mass * np.square(rows - mean)).sum(0) for mass, rows in pairs], axis=0)
    return mean, (np.sqrt(squares / count) + 1e-3) * np.sqrt(len(mean))


@dataclass(frozen=True, slots=True)
class _Problem:
    """Padded to the longest list: features (n, c, f), priors and targets (n, c), list weights (n,)."""

    features: Tensor
    priors: Tensor
    targets: Tensor
    weights: Tensor


def _padded(
    lists: Sequence[JudgedList],
    features: Sequence[FloatArray],
    mean: npt.NDArray[np.float64],
    spread: npt.NDArray[np.float64],
    recipe: HeadRecipe,
) -> _Problem:
    longest = max(len(one.passages) for one in lists)
    x = np.zeros((len(lists), longest, len(mean)), dtype=np.float32)
    priors = np.full((len(lists), longest), _UNREACHABLE, dtype=np.float32)
    targets = np.zeros((len(lists), longest), dtype=np.float32)
    for at, (one, rows) in enumerate(zip(lists, features, strict=True)):
        size = len(one.passages)
        x[at, :size] = (rows - mean) / spread
        mass = np.array(one.mass)
        priors[at, :size] = one.priors + np.log(np.maximum(mass, np.finfo(np.float32).tiny))
        odds = np.exp(np.array(one.priors) - max(one.priors)) * mass * np.array(one.kept)
        targets[at, :size] = (1 - recipe.soft_target) * np.array(one.target) + recipe.soft_target * odds / odds.sum()
    weights = torch.tensor([one.weight for one in lists], dtype=torch.float32)
    return _Problem(torch.from_numpy(x), torch.from_numpy(priors), torch.from_numpy(targets), weights)


def _minimise(
    problem: _Problem, recipe: HeadRecipe, report: Callable[[FitStep], None], cancelled: Callable[[], bool]
) -> npt.NDArray[np.float64]:
    weights = torch.zeros(problem.features.shape[-1], requires_grad=True)
    steps = recipe.max_steps
    optimiser = torch.optim.LBFGS([weights], max_iter=steps, max_eval=4 * steps, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        if cancelled():
            raise Cancelled("fitting was asked to stop")
        optimiser.zero_grad()
        shares = torch.log_softmax(problem.priors + problem.features @ weights, dim=1)
        each = -(problem.targets * shares).sum(dim=1)
        loss = ((problem.weights * each).sum() + recipe.penalty * weights.square().sum()) / problem.weights.sum()
        loss.backward()  # type: ignore[no-untyped-call]
        state = optimiser.state[weights]
        report(FitStep(int(state.get("n_iter", 0)), float(loss.detach()), float(state.get("t", 1.0))))
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return np.asarray(weights.detach().numpy(), dtype=np.float64)
