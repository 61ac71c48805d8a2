"""Features that one night computed are there for the next, and only sound ones."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from store.engines.features import FastFeatures
from store.errors import Cancelled
from store.scorer import Scorer
from tests import tiny
from trainer.base import make_residual_base
from trainer.features import FeatureStore
from trainer.kept_features import key_of

PAIRS = [(f"how to read file {number}", f"def read_{number}(): pass\n" * (1 + number % 3)) for number in range(12)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    return make_residual_base(tiny.encoder(folder / "encoder"), folder / "base", max_length=64)


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.features.MANY", 4)


def night(base: Path, folder: Path, cancelled: Callable[[], bool] = lambda: False) -> FeatureStore:
    return FeatureStore(base, 64, cancelled, folder)


def test_the_next_night_computes_only_what_is_new(base: Path, tmp_path: Path) -> None:
    first = night(base, tmp_path / "features")
    assert first.prepare(PAIRS[:8]) == 8
    second = night(base, tmp_path / "features")
    assert second.prepare(PAIRS) == 4
    np.testing.assert_array_equal(second.of(PAIRS[:8]), first.of(PAIRS[:8]))
    assert night(base, tmp_path / "features").prepare(PAIRS) == 0, "and what was new is kept beside"


@pytest.mark.parametrize("place", [-1, 400])
def test_a_flipped_bit_costs_the_time_and_nothing_else(
    base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, place: int
) -> None:
    before = night(base, tmp_path)
    before.prepare(PAIRS)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        after = night(base, tmp_path)
    assert "are damaged" in caplog.text
    assert after.prepare(PAIRS) == len(PAIRS)
    np.testing.assert_array_equal(after.of(PAIRS), before.of(PAIRS))


def test_features_that_torch_does_not_give_are_forgotten(
    base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Scorer.features
    with monkeypatch.context() as sick:
        sick.setattr(Scorer, "features", lambda *args, **more: plain(*args, **more) + np.float32(0.01))
        sick.setattr(FastFeatures, "hasten", lambda _: "torch")
        night(base, tmp_path).prepare(PAIRS)
    healthy = night(base, tmp_path)
    with caplog.at_level(logging.WARNING):
        assert healthy.prepare(PAIRS) == len(PAIRS)
    assert "wrong by up to 1.0e-02" in caplog.text
    assert night(base, tmp_path).prepare(PAIRS) == 0, "and what is kept now is right"


def test_other_libraries_start_afresh(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night(base, tmp_path).prepare(PAIRS)
    monkeypatch.setattr("trainer.kept_features.version", lambda _: "99.0")
    assert night(base, tmp_path).prepare(PAIRS) == len(PAIRS)


def test_a_truncated_file_is_computed_again(base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    night(base, tmp_path).prepare(PAIRS)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with caplog.at_level(logging.WARNING):
        assert night(base, tmp_path).prepare(PAIRS) == len(PAIRS)
    assert "can't be read" in caplog.text


def test_another_body_starts_afresh_and_takes_the_place(base: Path, tmp_path: Path) -> None:
    night(base, tmp_path / "features").prepare(PAIRS)
    other = make_residual_base(tiny.encoder(tmp_path / "encoder", seed=9), tmp_path / "base", max_length=64)
    assert night(other, tmp_path / "features").prepare(PAIRS) == len(PAIRS)
    assert len(list((tmp_path / "features").iterdir())) == 1
    assert night(base, tmp_path / "features").prepare(PAIRS) == len(PAIRS)


def test_another_length_is_another_cut(base: Path, tmp_path: Path) -> None:
    night(base, tmp_path).prepare(PAIRS)
    assert FeatureStore(base, 32, lambda: False, tmp_path).prepare(PAIRS) == len(PAIRS)


def test_a_cancelled_night_leaves_what_it_had(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.features.WINDOW", 4)
    done: list[int] = []
    stopped = night(base, tmp_path, lambda: bool(done))
    with pytest.raises(Cancelled):
        stopped.prepare(PAIRS, lambda line: done.append(line.pairs_done))
    assert done == [4]
    assert night(base, tmp_path).prepare(PAIRS) == len(PAIRS) - 4


def test_where_nothing_can_be_written_the_night_goes_on(
    base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "features").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        assert night(base, tmp_path / "features").prepare(PAIRS) == len(PAIRS)
    assert "not kept" in caplog.text


def test_old_pairs_make_room(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.kept_features.MOST", 8)
    night(base, tmp_path).prepare(PAIRS[:6])
    night(base, tmp_path).prepare(PAIRS[6:])
    third = night(base, tmp_path)
    assert third.prepare(PAIRS[6:]) == 0, "tonight's are kept first"
    assert third.prepare(PAIRS[:6]) == 4, "and older ones as far as there is room"


def test_a_key_tells_where_the_question_ends() -> None:
    assert key_of(("a", "bc")) != key_of(("ab", "c"))
