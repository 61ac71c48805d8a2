"""Features by OpenVINO are torch's, and torch takes over where they are not."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from store.engines.features import FastFeatures
from store.engines.openvino import OpenVino
from store.errors import Cancelled, Unavailable
from store.scorer import Scorer
from tests import tiny
from trainer.base import make_residual_base
from trainer.features import FeatureStore

PAIRS = [
    ("how to read a file", f"def read_{number}(path): return open(path)\n" * (1 + number % 5)) for number in range(40)
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fast")
    return make_residual_base(tiny.encoder(folder / "encoder"), folder / "base", max_length=64)


@pytest.fixture
def exact(base: Path) -> Scorer:
    return Scorer.load(base, max_length=64)


def test_they_are_the_same_features(exact: Scorer) -> None:
    fast = FastFeatures(exact)
    assert fast.hasten() == "OpenVINO (float32)"
    seen: list[int] = []
    np.testing.assert_allclose(fast.features(PAIRS, seen.append), exact.features(PAIRS), atol=1e-4)
    assert seen == [0, 8, 16, 24, 32]


def test_cancelling_stops_between_batches(exact: Scorer) -> None:
    fast = FastFeatures(exact)
    fast.hasten()

    def stop(done: int) -> None:
        if done >= 8:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        fast.features(PAIRS, stop)
    assert len(fast.features(PAIRS[:3], lambda _: None)) == 3, "and it can be used again"


def test_without_the_library_torch_computes(exact: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> object:
        raise Unavailable("OpenVINO is not installed here")

    monkeypatch.setattr("store.engines.features.OpenVino", missing)
    fast = FastFeatures(exact)
    assert "not installed" in fast.hasten()
    np.testing.assert_array_equal(fast.features(PAIRS, lambda _: None), exact.features(PAIRS))


def test_an_engine_that_differs_is_not_taken(exact: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = OpenVino.run

    def off(self: OpenVino, batches: object, out: np.ndarray) -> None:
        plain(self, batches, out)  # type: ignore[arg-type]
        out += 0.1

    monkeypatch.setattr(OpenVino, "run", off)
    fast = FastFeatures(exact)
    assert "differ by 1.0e-01" in fast.hasten()
    np.testing.assert_array_equal(fast.features(PAIRS, lambda _: None), exact.features(PAIRS))


def test_an_engine_that_fails_later_gives_way_to_torch(
    exact: Scorer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fast = FastFeatures(exact)
    fast.hasten()

    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(OpenVino, "run", broken)
    with caplog.at_level(logging.ERROR):
        np.testing.assert_array_equal(fast.features(PAIRS, lambda _: None), exact.features(PAIRS))
    assert "torch computes features from now on" in caplog.text


def test_the_store_takes_it_for_many_pairs_only(base: Path, exact: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.features.MANY", 30)
    asked: list[str] = []
    plain = FastFeatures.hasten

    def noted(self: FastFeatures) -> str:
        asked.append(plain(self))
        return asked[-1]

    monkeypatch.setattr(FastFeatures, "hasten", noted)
    few = FeatureStore(base, 64, lambda: False)
    few.prepare(PAIRS[:10])
    assert asked == []
    np.testing.assert_allclose(FeatureStore(base, 64, lambda: False).of(PAIRS), exact.features(PAIRS), atol=1e-4)
    assert asked == ["OpenVINO (float32)"]
