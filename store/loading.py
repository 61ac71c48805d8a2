"""Load a registered version for scoring: what a server swaps in, and what evaluation compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from store import manifest
from store.blend import FloatArray, Floats, final_scores
from store.engines.choose import Choice, choose
from store.engines.fast import FastScorer
from store.engines.names import FILES, TORCH
from store.errors import ModelRefused
from store.published import check_files, directory_of
from store.scorer import Logits, Scorer
from store.types import Blend, Version, VersionForm
from store.weights import Network

_UNASKED = Choice(TORCH, "no other engine was asked for")


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """A version ready to score. Immutable: a request keeps the one that it started with."""

    version: Version
    blend: Blend
    scorer: Scorer | None
    """Torch in float32, by which everything else is measured. None: the version does not rerank."""
    choice: Choice = _UNASKED
    """Which engine scores, and why."""
    fast: FastScorer | None = None
    """What scores instead of ``scorer``, where another engine was chosen."""

    @property
    def lost(self) -> str | None:
        """Why this version can't score any more: its engine failed, and torch's network was refused. None: it can."""
        return None if self.scorer is None else self.scorer.lost

    @property
    def engine(self) -> Choice:
        """The engine that scores now: another than was chosen once that one has failed."""
        if self.fast is None or self.fast.broken is None:
            return self.choice
        return self.choice.failed(self.fast.broken)

    def score(
        self, query: str, texts: Sequence[str], dense: Floats, lexical: Floats
    ) -> tuple[Logits | None, FloatArray]:
        """(``rerank_score`` or None, ``final_score``) of each candidate: shape ``(n,)`` each, in the given order."""
        rerank = self.logits(query, texts)
        return rerank, self.final(dense, lexical, rerank)

    def logits(self, query: str, texts: Sequence[str]) -> Logits | None:
        """``rerank_score`` of each text, shape ``(n,)``; None where the version does not rerank."""
        scorer = self.fast or self.scorer
        return None if scorer is None else scorer.score(query, texts)

    def pair_logits(self, pairs: Sequence[tuple[str, str]]) -> Logits:
        """As ``logits``, for pairs of several queries. Raises ValueError where the version does not rerank."""
        if self.scorer is None:
            raise ValueError(f"version {self.version.id} does not rerank")
        return self.scorer.score_pairs(pairs) if self.fast is None else self.fast.score_or_fall_back(pairs)

    def final(self, dense: Floats, lexical: Floats, rerank: Logits | None) -> FloatArray:
        """``final_score`` of each candidate, shape ``(n,)``."""
        return final_scores(self.blend, dense, lexical, rerank)


def load_version(version: Version, models_dir: Path, *, threads: int = 0, engine: str = TORCH) -> LoadedVersion:
    """Load ``version`` once its manifest, weights and probes have been checked.

    ``engine``: what scores, ``"auto"`` for the fastest of the manifest's here; torch where it can't.
    Raises ModelRefused, saying why. Version 0 has nothing to load.
    """
    if version.form is VersionForm.FIRST_STAGE:
        return LoadedVersion(version, version.blend, None)
    found, scorer = _exact(version, models_dir, threads)
    choice, fast = choose(directory_of(version, models_dir), found, scorer, engine, threads)
    if fast is not None:
        scorer.rest(partial(_network, version, models_dir, threads))  # it comes back by itself where the engine fails
    return LoadedVersion(version, version.blend, scorer, choice, fast)


def _exact(version: Version, models_dir: Path, threads: int) -> tuple[manifest.Manifest, Scorer]:
    """Torch's scorer, once manifest, files and probes have been checked. Raises ModelRefused."""
    found = check_files(version, models_dir, spare=FILES)
    return found, load_checked(directory_of(version, models_dir), found, threads=threads)


def _network(version: Version, models_dir: Path, threads: int) -> Network:
    """The network again, with all the checks of the first time. Raises ModelRefused."""
    try:
        return _exact(version, models_dir, threads)[1].network
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise ModelRefused(f"its network can't be loaded again: {error}") from error


def load_checked(directory: Path, found: manifest.Manifest, *, threads: int = 0) -> Scorer:
    """Load a directory that ``manifest.verify`` has passed, and compare its probe scores. Raises ModelRefused."""
    engine = next((engine for engine in found.engines if engine.name == TORCH), None)
    if engine is None:
        raise ModelRefused(f"the manifest does not list the engine {TORCH}")
    scorer = Scorer.load(directory, max_length=found.max_length, threads=threads)
    pairs = [(probe.query, probe.passage) for probe in found.probes]
    if len(engine.scores) != len(pairs):
        raise ModelRefused("manifest.json: the engine's probe scores don't match the probes")
    manifest.check_scores(engine.scores, scorer.score_pairs(pairs).tolist(), engine.tolerance, TORCH)
    return scorer
