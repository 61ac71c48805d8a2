"""Stored features under a head give the logits that the served model gives."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from store.errors import Cancelled, InvalidInput
from store.scorer import Scorer
from tests import tiny
from trainer.base import body_of, make_residual_base
from trainer.features import FeatureProgress, FeatureStore, Head, HeadScores
from trainer.fit_night import write_head

QUERY = "how to read a file"
TEXTS = [f"def read_{number}(path): return open(path).read({number})" * (1 + number % 4) for number in range(12)]
PAIRS = [(QUERY, text) for text in TEXTS]


def head(seed: int) -> Head:
    return Head(np.random.default_rng(seed).normal(size=96).astype(np.float32), 0.25)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    return make_residual_base(tiny.encoder(folder / "encoder"), folder / "base", max_length=64)


@pytest.fixture
def store(base: Path) -> FeatureStore:
    return FeatureStore(base, 64, lambda: False)


def test_served_and_fitted_logits_are_equal(base: Path, store: FeatureStore, tmp_path: Path) -> None:
    version = Path(shutil.copytree(base, tmp_path / "version"))
    write_head(version, head(1))
    scorer = Scorer.load(version, max_length=64)
    fitted = HeadScores(store, head(1)).score(QUERY, TEXTS)
    np.testing.assert_allclose(fitted, scorer.score(QUERY, TEXTS), atol=1e-4)
    assert np.ptp(fitted) > 0.1
    short = store.shortcut(version, scorer)
    assert isinstance(short, HeadScores)
    np.testing.assert_array_equal(short.score(QUERY, TEXTS), fitted)


def test_a_version_over_another_body_scores_for_itself(store: FeatureStore, tmp_path: Path) -> None:
    for directory in (
        tiny.pooled_cross_encoder(tmp_path / "other", seed=5, max_length=64),
        tiny.cross_encoder(tmp_path / "single", max_length=64),
    ):
        scorer = Scorer.load(directory, max_length=64)
        assert store.shortcut(directory, scorer) is scorer


def test_the_base_is_the_same_every_time_and_ranks_as_the_first_stage(base: Path, tmp_path: Path) -> None:
    again = make_residual_base(tiny.encoder(tmp_path / "encoder"), tmp_path / "base", max_length=64)
    assert body_of(again) == body_of(base)
    assert not Scorer.load(base, max_length=64).score(QUERY, TEXTS).any()


def test_features_are_computed_once_and_do_not_depend_on_the_order(base: Path, store: FeatureStore) -> None:
    seen: list[FeatureProgress] = []
    assert store.prepare(PAIRS, seen.append) == len(PAIRS)
    assert seen[-1].pairs_done == seen[-1].pairs == len(PAIRS)
    assert seen[-1].seconds_left == 0
    assert seen[-1].pairs_per_second > 0
    assert store.prepare(PAIRS) == 0
    other = FeatureStore(base, 64, lambda: False)
    other.prepare(PAIRS[::-1])
    np.testing.assert_array_equal(other.of(PAIRS), store.of(PAIRS))


def test_a_wish_to_stop_is_heard(base: Path) -> None:
    with pytest.raises(Cancelled):
        FeatureStore(base, 64, lambda: True).prepare(PAIRS)


def test_a_base_of_the_single_form_has_no_features(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="linear head"):
        FeatureStore(tiny.cross_encoder(tmp_path / "single"), 64, lambda: False)
