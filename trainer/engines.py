"""The engines that a staged version may be served with: exported, measured against torch, listed or left out.

The gate judges float32 scores, and engines are measured against torch. An engine is listed only where, on the
version's own evaluation lists, it gives nearly the same logits, order and ndcg@10; its figures stand in the manifest.
A version with too few lists (a base, a small team's) has the engine that rounds nothing, held to torch's own bound.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from store.blend import final_scores
from store.engines.choose import MOST_TOLERANCE, SAMPLE
from store.engines.convert import write
from store.engines.fast import FastScorer
from store.engines.names import GRAPH_FILE, OPENVINO
from store.engines.openvino import OpenVino
from store.errors import ModelRefused, Unavailable
from store.manifest import PROBE_TEXTS, PROBE_TOLERANCE, Engine, Probe, check_scores, torch_engine
from store.scorer import Scorer
from store.types import Blend, EvalQuery, Json
from trainer.evaluate import FloatArray, Scores, answerable, rank, score_queries

LEAST_TAU = 0.97
"""Kendall's tau between an engine's final order and torch's, mean over the lists."""
MOST_NDCG = 0.003
"""Difference of the two orders' mean ndcg@10, either way."""
FEWEST_LISTS, MOST_LISTS = 10, 30
"""Fewer prove nothing about an engine; more cost a night without telling more."""
SLACK = 2.0
"""Allowed on another machine, as a multiple of the largest difference measured here."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A version that is about to be published, with what its engines are measured by."""

    directory: Path
    scorer: Scorer
    exact: Scores
    """The same logits as ``scorer``'s at the least cost."""
    probes: Sequence[Probe]
    blend: Blend


def export_engines(
    staged: Staged,
    lists: Sequence[EvalQuery],
    texts: Mapping[str, str],
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[tuple[Engine, ...], tuple[str, ...]]:
    """The engines of the manifest, torch first, and a sentence about each that is not listed.

    Whatever is wrong with another engine leaves it out: the version is then served by torch. Raises Cancelled.
    """
    own = torch_engine(staged.probes)
    measured_on = answerable(lists, texts)[0][:MOST_LISTS]
    few = len(measured_on) < FEWEST_LISTS
    try:
        write(staged.directory, staged.scorer)
    except (ModelRefused, Unavailable) as error:
        return _without(staged, own, f"Served by torch: {error.message}.")
    exact = [] if few else score_queries(staged.exact, measured_on, texts, cancelled=cancelled)
    found, notes = [own], []
    for name, precision in OPENVINO.items():
        try:
            if few and precision != "f32":
                raise ModelRefused(f"{len(measured_on)} lists are too few to measure what its rounding does")
            one = _exact(name, staged) if few else _measured(name, staged, measured_on, texts, exact, cancelled)
            found.append(one)
        except (ModelRefused, Unavailable) as error:
            notes.append(f"Not served by {name}: {error.message}.")
    return (tuple(found), tuple(notes)) if len(found) > 1 else _without(staged, own, *notes)


def _without(staged: Staged, own: Engine, *notes: str) -> tuple[tuple[Engine, ...], tuple[str, ...]]:
    shutil.rmtree((staged.directory / GRAPH_FILE).parent, ignore_errors=True)
    return (own,), notes


def _measured(
    name: str,
    staged: Staged,
    lists: Sequence[EvalQuery],
    texts: Mapping[str, str],
    exact: Sequence[FloatArray],
    cancelled: Callable[[], bool],
) -> Engine:
    """Raises ModelRefused where a bound is broken, Unavailable where the engine can't be had here."""
    fast = FastScorer(name, staged.scorer, OpenVino.load(staged.directory, name))
    got = score_queries(_Alone(fast), lists, texts, cancelled=cancelled)
    figures = agreement(lists, staged.blend, exact, got)
    if not figures["kendall_tau"] >= LEAST_TAU:
        raise ModelRefused(f"its order differs from torch's (Kendall's tau {figures['kendall_tau']:.3f})")
    if not figures["ndcg@10_difference"] <= MOST_NDCG:
        raise ModelRefused(f"its ndcg@10 differs from torch's by {figures['ndcg@10_difference']:.4f}")
    scores = fast.score_pairs([(probe.query, probe.passage) for probe in staged.probes]).tolist()
    off = (abs(score - probe.score) for score, probe in zip(scores, staged.probes, strict=True))
    difference = max(figures["largest_difference"], *off)
    if not SLACK * difference <= MOST_TOLERANCE:
        raise ModelRefused(f"its logits differ from torch's by up to {difference:.3f}")
    bounds = {"least_kendall_tau": LEAST_TAU, "most_ndcg@10_difference": MOST_NDCG}
    tolerance = max(PROBE_TOLERANCE, SLACK * difference)
    return Engine(name, difference, tolerance, tuple(scores), {**figures, "bounds": bounds})


def _exact(name: str, staged: Staged) -> Engine:
    """The same arithmetic in float32: what could be wrong with it (another network, a broken export) any pair shows.

    Raises ModelRefused where probes or ``SAMPLE`` differ by more than torch may between machines, Unavailable where the
    engine can't be had here.
    """
    fast = FastScorer(name, staged.scorer, OpenVino.load(staged.directory, name))
    pairs = [*((probe.query, probe.passage) for probe in staged.probes), *SAMPLE]
    want, have = staged.scorer.score_pairs(pairs), fast.score_pairs(pairs)
    check_scores(want.tolist(), have.tolist(), PROBE_TOLERANCE, f"{name} against torch")
    difference = float(np.max(np.abs(want - have)))
    measured = {"lists": 0, "pairs": len(pairs), "largest_difference": difference}
    return Engine(name, difference, PROBE_TOLERANCE, tuple(have[: len(staged.probes)].tolist()), measured)


def probes_of(scorer: Scorer) -> tuple[Probe, ...]:
    """The default probes as ``scorer`` scores them."""
    scores = scorer.score_pairs(PROBE_TEXTS).tolist()
    return tuple(Probe(query, passage, score) for (query, passage), score in zip(PROBE_TEXTS, scores, strict=True))


@dataclass(frozen=True, slots=True)
class _Alone:
    """The engine's own scores, without the way back to torch."""

    fast: FastScorer

    def score(self, query: str, texts: Sequence[str]) -> FloatArray:
        return self.fast.score_pairs([(query, text) for text in texts])


def agreement(
    lists: Sequence[EvalQuery], blend: Blend, exact: Sequence[FloatArray], other: Sequence[FloatArray]
) -> Json:
    """How far other logits are from the exact ones: the largest difference, and what it does to the final order."""
    taus, of_logits, before, after = [], [], [], []
    for query, want, have in zip(lists, exact, other, strict=True):
        finals = (final_scores(blend, query.dense_scores, query.lexical_scores, one) for one in (want, have))
        taus.append(kendall_tau(*finals))
        of_logits.append(kendall_tau(want, have))
        before.append(rank(query, blend, want).metrics["ndcg@10"])
        after.append(rank(query, blend, have).metrics["ndcg@10"])
    return {
        "lists": len(lists),
        "pairs": sum(len(one) for one in exact),
        "largest_difference": float(max(np.max(np.abs(a - b)) for a, b in zip(exact, other, strict=True))),
        "kendall_tau": float(np.mean(taus)),
        "kendall_tau_of_logits": float(np.mean(of_logits)),
        "ndcg@10": float(np.mean(after)),
        "ndcg@10_difference": abs(float(np.mean(after) - np.mean(before))),
    }


def kendall_tau(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """Kendall's tau-b of two scorings ``(n,)``: M. Kendall, "The treatment of ties", Biometrika 33(3), 1945.

    Where neither of them orders anything they agree: 1; where only one does: 0.
    """
    first, second = (np.sign(np.subtract.outer(one, one)) for one in (a, b))
    norms = float((first**2).sum()) * float((second**2).sum())
    if norms == 0:
        return 1.0 if not first.any() and not second.any() else 0.0
    return float((first * second).sum() / np.sqrt(norms))
