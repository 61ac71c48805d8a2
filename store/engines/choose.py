"""Which of a version's engines serves on this machine: those that load and keep their bound, timed in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from store import manifest
from store.engines.convert import Positional
from store.engines.fast import MICRO_BATCH, FastScorer
from store.engines.gpu import MICRO_BATCH as GPU_BATCH
from store.engines.gpu import Device, Gpu, device
from store.engines.names import AUTO, FILES, GPU, OPENVINO, TORCH
from store.engines.openvino import OpenVino, Unsuited, streams_of
from store.errors import ModelRefused, Unavailable
from store.manifest import Engine, Manifest, torch_engine
from store.scorer import Scorer

WORTH = 1.1
"""An engine that differs more must be this many times as fast as one that differs less."""
MOST_TOLERANCE = 0.25
"""Of a logit, times max(1, |logit|): a manifest that states more, from wherever it came, vouches for nothing."""
ROUNDS = 3
SECONDS = 1.5
"""After which no further round begins: a new champion is to serve within ten."""

_CODE = '''def read_rows(path, limit=None):
    """Rows of a comma-separated file, each a dict by column name."""
    rows = []
    with open(path, newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if limit is not None and number >= limit:
                break
            rows.append({name: value.strip() for name, value in row.items()})
    return rows
'''
SAMPLE = [("how to read the rows of a csv file", _CODE[: 100 + 45 * n] * (1 + n % 3)) for n in range(2, 8)]
"""Pairs of the lengths that real candidates have: 50 to 256 tokens."""

_ASKED = "RANKLOOP_RERANK_ENGINE asks for"


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine that scores, why, and how the others did."""

    name: str
    reason: str
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    """Engine → median time for the calibration's pairs."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Engine → why it may not serve here."""
    excused: Collection[str] = ()
    """Those of them that nobody asked for and nobody can mend: a GPU of no use, a processor without bfloat16."""

    @property
    def faults(self) -> Mapping[str, str]:
        """Refusals that somebody should mend."""
        return {name: why for name, why in self.refused.items() if name not in self.excused}

    @property
    def fault(self) -> str | None:
        """``faults`` in words; None where there are none."""
        return "; ".join(f"{name}: {why}" for name, why in self.faults.items()) or None

    @property
    def fell_back(self) -> bool:
        """Whether torch scores because another engine failed or was refused."""
        return self.name == TORCH and bool(self.faults)

    def failed(self, why: str) -> Choice:
        """Torch instead, since the chosen engine failed while serving."""
        refused, excused = {**self.refused, self.name: f"failed: {why}"}, [n for n in self.excused if n != self.name]
        return Choice(TORCH, f"{self.name} failed: {why}", self.milliseconds, refused, excused)


def choose(
    directory: Path, found: Manifest, exact: Scorer, wanted: str, threads: int
) -> tuple[Choice, FastScorer | None]:
    """Choose among torch, torch on this machine's GPU and the engines that the manifest lists; None: torch scores.

    ``exact`` is the directory's scorer, its probes checked. Whatever keeps an engine from serving is told in the
    choice, never raised: torch is always there.
    """
    if wanted == TORCH:
        return Choice(TORCH, "set by RANKLOOP_RERANK_ENGINE"), None
    offered = {engine.name: engine for engine in found.engines if engine.name in OPENVINO}
    place = device()
    if place is not None:
        offered[GPU] = torch_engine(found.probes)
    if wanted != AUTO and wanted not in offered:
        missing = "no GPU here" if wanted == GPU else "not listed in the manifest"
        reason = f"{_ASKED} {wanted}, which this version does not have: {missing}"
        return Choice(TORCH, reason, refused={wanted: missing}), None
    if not offered:
        return Choice(TORCH, "the version lists no other engine"), None
    tried = offered if wanted == AUTO else {wanted: offered[wanted]}
    sound, refused, unsuited = _sound(directory, found, exact, tried, threads, place)
    excused = (GPU, *unsuited) if wanted == AUTO else ()
    if not sound:
        said = "; ".join(f"{name}: {why}" for name, why in refused.items())
        return Choice(TORCH, said if wanted == AUTO else f"{_ASKED} {said}", refused=refused, excused=excused), None
    if wanted != AUTO:
        return Choice(wanted, "set by RANKLOOP_RERANK_ENGINE"), sound[wanted]
    times = calibrate({TORCH: exact, **sound}, calibration(threads))
    name = fastest(times, {TORCH: 0.0, **{name: offered[name].difference for name in sound}})
    ratio = times[TORCH] / times[name]
    said = f"{ratio:.1f} times as fast as {TORCH} here" if name != TORCH else "no listed engine is faster here"
    reasons = [said, *(f"{other} is not used: {why}" for other, why in refused.items())]
    return Choice(name, "; ".join(reasons), times, refused, excused), sound.get(name)


def check(found: Manifest, engine: Engine, torch_scores: list[float], fast: FastScorer) -> None:
    """Raises ModelRefused where the engine's scores are not what was measured.

    Its probes must be within its tolerance of what it gave when the version was built, and all of ``checked_pairs`` of
    what torch gives here.
    """
    if not engine.tolerance <= MOST_TOLERANCE:
        raise ModelRefused(f"its stated tolerance of {engine.tolerance:g} is more than {MOST_TOLERANCE:g}")
    if len(engine.scores) != len(found.probes):
        raise ModelRefused("the engine's probe scores don't match the probes")
    got = fast.score_pairs(checked_pairs(found)).tolist()
    manifest.check_scores(engine.scores, got[: len(engine.scores)], engine.tolerance, engine.name)
    manifest.check_scores(torch_scores, got, engine.tolerance, f"{engine.name} against {TORCH}")


def checked_pairs(found: Manifest) -> list[tuple[str, str]]:
    """What an engine's scores are compared on before it serves: the version's probes, then ``SAMPLE``."""
    return [*((probe.query, probe.passage) for probe in found.probes), *SAMPLE]


def calibration(threads: int) -> list[tuple[str, str]]:
    """What engines are timed on: ``SAMPLE``, and more of its kind until every stream of so many threads has a batch.

    With fewer, an engine's streams would stand idle while torch works on each batch with all threads.
    """
    size = max(len(SAMPLE), MICRO_BATCH * streams_of(threads))
    turns = -(-size // len(SAMPLE))
    pairs = [
        (query, text.replace("read_rows", f"read_rows_{n}" if n else "read_rows"))
        for n in range(turns)
        for query, text in SAMPLE
    ]
    return pairs[:size]


def calibrate(
    scorers: Mapping[str, Scorer | FastScorer],
    pairs: Sequence[tuple[str, str]],
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median milliseconds of each for ``pairs``, timed in turn."""
    taken: dict[str, list[float]] = {name: [] for name in scorers}
    began = clock()
    for _ in range(ROUNDS):
        for name, scorer in scorers.items():
            start = clock()
            scorer.score_pairs(pairs)
            taken[name].append(1000 * (clock() - start))
        if clock() - began > SECONDS:
            break
    return {name: round(median(times), 1) for name, times in taken.items()}


def fastest(times: Mapping[str, float], difference: Mapping[str, float]) -> str:
    """From exact to coarse, an engine is taken only where it is ``WORTH`` times as fast as the one before."""
    exact_first = sorted(times, key=lambda name: (difference[name], name != TORCH))
    best = exact_first[0]
    for name in exact_first[1:]:
        if times[name] * WORTH <= times[best]:
            best = name
    return best


def _sound(
    directory: Path,
    found: Manifest,
    exact: Scorer,
    tried: Mapping[str, Engine],
    threads: int,
    place: Device | None,
) -> tuple[dict[str, FastScorer], dict[str, str], list[str]]:
    """The engines that may serve, why the others may not, and which of these this machine is not made for."""
    sound: dict[str, FastScorer] = {}
    refused: dict[str, str] = {}
    unsuited: list[str] = []
    torch_scores = exact.score_pairs(checked_pairs(found)).tolist()
    damage = _damage(directory, found) if tried.keys() & OPENVINO.keys() else None
    for name, engine in tried.items():
        try:
            if name in OPENVINO and damage is not None:
                raise ModelRefused(damage)
            fast = _load(directory, exact, name, threads, place)
            check(found, engine, torch_scores, fast)
        except (ModelRefused, Unavailable) as error:
            refused[name] = error.message
            if isinstance(error, Unsuited):
                unsuited.append(name)
        else:
            sound[name] = fast
    return sound, refused, unsuited


def _damage(directory: Path, found: Manifest) -> str | None:
    """What is wrong with the engines' files. That they can't be read at all is no worse than damage."""
    try:
        manifest.verify_files(directory, found, FILES)
    except ModelRefused as error:
        return error.message
    except OSError as error:
        return f"its files can't be read: {error}"
    return None


def _load(directory: Path, exact: Scorer, name: str, threads: int, place: Device | None) -> FastScorer:
    """Raises Unavailable where the engine can't be had here."""
    if name == GPU and place is not None:
        return FastScorer(GPU, exact, Gpu(Positional(exact.network, exact.inputs), exact.inputs, place), GPU_BATCH)
    return FastScorer(name, exact, OpenVino.load(directory, name, threads))
