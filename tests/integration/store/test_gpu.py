"""What a GPU does, on a device that every machine has: the code is the same, only the name of the device differs."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch

from store import manifest
from store.encoder import Encoder
from store.engines.choose import choose
from store.engines.features import FastFeatures
from store.engines.gpu import Gpu
from store.engines.names import AUTO, GPU, TORCH
from store.errors import ModelRefused
from store.manifest import Manifest, Probe
from store.scorer import Inputs, Logits, Scorer
from tests import tiny

PAIRS = [(f"how to read {n} files", f"def read_{n}(path): return open(path)\n" * (1 + n % 5)) for n in range(100)]
TEXTS = [text for _, text in PAIRS]


@pytest.fixture(params=["pooled", "single"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    make = tiny.pooled_cross_encoder if request.param == "pooled" else tiny.cross_encoder
    return make(tmp_path / "version", seed=5)


@pytest.fixture
def exact(directory: Path) -> Scorer:
    return Scorer.load(directory, max_length=256)


@pytest.fixture
def found(directory: Path, exact: Scorer) -> Manifest:
    scores = exact.score_pairs(manifest.PROBE_TEXTS).tolist()
    probes = tuple(Probe(q, p, score) for (q, p), score in zip(manifest.PROBE_TEXTS, scores, strict=True))
    return manifest.write(directory, max_length=256, probes=probes, engines=(manifest.torch_engine(probes),))


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    return Encoder.load(str(tiny.encoder(tmp_path / "encoder")))


@pytest.fixture
def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("store.engines.choose", "store.engines.features", "store.encoder"):
        monkeypatch.setattr(f"{module}.device", lambda: torch.device("cpu"))


@pytest.mark.usefixtures("_gpu")
def test_it_gives_the_scores_of_torch(directory: Path, exact: Scorer, found: Manifest) -> None:
    choice, fast = choose(directory, found, exact, GPU, 0)
    assert (choice.name, choice.refused) == (GPU, {})
    assert fast is not None
    np.testing.assert_allclose(fast.score_pairs(PAIRS), exact.score_pairs(PAIRS), atol=1e-4)
    exact.rest(lambda: pytest.fail("the GPU has a network of its own"))
    assert np.isfinite(fast.score_pairs(PAIRS)).all()
    assert exact.resting


@pytest.mark.usefixtures("_gpu")
def test_it_is_timed_against_torch_like_every_engine(directory: Path, exact: Scorer, found: Manifest) -> None:
    choice, _ = choose(directory, found, exact, AUTO, 0)
    assert choice.milliseconds.keys() == {TORCH, GPU}


@pytest.mark.usefixtures("_gpu")
def test_one_that_computes_something_else_is_refused(
    directory: Path, exact: Scorer, found: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Gpu.outputs

    def off(self: Gpu, batches: Iterable[tuple[list[int], Inputs]], shape: tuple[int, ...]) -> Logits:
        return plain(self, batches, shape) * np.float32(1.1) + np.float32(0.1)

    monkeypatch.setattr(Gpu, "outputs", off)
    choice, fast = choose(directory, found, exact, AUTO, 0)
    assert fast is None
    assert choice.name == TORCH
    assert "expected" in choice.refused[GPU] or "probe" in choice.refused[GPU]


@pytest.mark.usefixtures("_gpu")
def test_one_that_runs_out_of_memory_gives_way_for_good(
    directory: Path, exact: Scorer, found: Manifest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, fast = choose(directory, found, exact, GPU, 0)
    assert fast is not None
    monkeypatch.setattr(fast._engine, "_network", full)
    with caplog.at_level(logging.ERROR):
        np.testing.assert_array_equal(fast.score_or_fall_back(PAIRS), exact.score_pairs(PAIRS))
    assert fast.broken == "the GPU failed: CUDA out of memory"
    assert "torch scores from now on" in caplog.text


def full(*_: torch.Tensor) -> torch.Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory\nand a page of advice")


def test_a_device_that_computes_nothing_is_told_of(
    directory: Path, exact: Scorer, found: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.engines.choose.device", lambda: torch.device("meta"))
    choice, fast = choose(directory, found, exact, AUTO, 0)
    assert fast is None
    assert choice.refused[GPU].startswith("the GPU failed: ")


def test_whoever_asks_for_one_that_is_not_there_gets_torch(directory: Path, exact: Scorer, found: Manifest) -> None:
    choice, fast = choose(directory, found, exact, GPU, 0)
    assert fast is None
    assert (choice.name, choice.refused) == (TORCH, {GPU: "no GPU here"})


@pytest.mark.usefixtures("_gpu")
def test_a_night_takes_its_features_from_it(tmp_path: Path) -> None:
    exact = Scorer.load(tiny.pooled_cross_encoder(tmp_path / "base", max_length=64), max_length=64)
    fast = FastFeatures(exact)
    assert fast.hasten() == "the GPU (cpu)"
    np.testing.assert_allclose(fast.features(PAIRS, lambda _: None), exact.features(PAIRS), atol=1e-4)


@pytest.mark.usefixtures("_gpu")
def test_the_index_takes_its_vectors_from_it(encoder: Encoder) -> None:
    exact = encoder.encode(TEXTS)
    assert encoder.hasten() == GPU
    np.testing.assert_allclose(encoder.encode(TEXTS), exact, atol=1e-5)


@pytest.mark.usefixtures("_gpu")
def test_where_it_fails_torch_encodes(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = encoder.encode(TEXTS)

    def broken(*_: object) -> Logits:
        raise ModelRefused("the GPU failed: it was unplugged")

    assert encoder.hasten() == GPU
    monkeypatch.setattr(Gpu, "outputs", broken)
    np.testing.assert_allclose(encoder.encode(TEXTS), exact, atol=1e-6)
    assert encoder.engine == TORCH
