"""How engines are timed, and what keeps one from serving without being the version's end."""

from __future__ import annotations

import dataclasses
import errno
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from store import manifest
from store.engines.choose import SAMPLE, calibration, choose
from store.engines.fast import MICRO_BATCH, FastScorer
from store.engines.names import GRAPH_FILE, WEIGHTS_FILE
from store.engines.openvino import MOST_STREAMS, OpenVino, library, streams_of
from store.errors import ModelRefused
from store.scorer import Inputs, Logits, Scorer
from tests import tiny
from tests.integration.trainer.built_engines import (
    EXACT,
    Failing,
    assert_served_by_torch,
    build,
    load,
    scores,
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tiny.pooled_cross_encoder(tmp_path_factory.mktemp("engines") / "model")
    build(directory)
    return directory


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "copy"))


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 8, 64])
def test_every_stream_has_a_batch_when_engines_are_timed(built: Path, threads: int) -> None:
    pairs = calibration(threads)
    scorer = Scorer.load(built, max_length=256)
    batches = [places for places, _ in scorer.batches(pairs, MICRO_BATCH, long_first=True)]
    assert len(batches) >= streams_of(threads) == min(threads, MOST_STREAMS)
    assert len(pairs) == len(set(pairs)) == max(len(SAMPLE), MICRO_BATCH * min(threads, MOST_STREAMS))
    assert pairs[: len(SAMPLE)] == SAMPLE


def test_engines_are_timed_on_what_fills_this_machine(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    scores_of = OpenVino.run

    def counted(self: OpenVino, batches: Iterable[tuple[list[int], Inputs]], out: Logits) -> None:
        listed = list(batches)
        asked.append(sum(len(places) for places, _ in listed))
        scores_of(self, listed, out)

    monkeypatch.setattr(OpenVino, "run", counted)
    found = manifest.read(copy)
    choose(copy, found, Scorer.load(copy, max_length=256), "auto", 4)
    assert asked.count(len(calibration(4))) >= 1


def test_what_the_processor_is_not_made_for_is_no_fault(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless somebody asked for it by name."""

    class OldCore(library().Core):  # type: ignore[misc]
        def get_property(self, device: str, name: str) -> list[str]:
            return ["FP32", "INT8"]

    found = manifest.read(copy)
    exact = next(one for one in found.engines if one.name == EXACT)
    engines = [found.engines[0], exact, dataclasses.replace(exact, name="openvino-bf16")]
    manifest.write(copy, max_length=found.max_length, probes=found.probes, engines=engines)
    monkeypatch.setattr(library(), "Core", OldCore)
    chosen = load(copy, "auto").engine
    assert "no bfloat16" in chosen.refused["openvino-bf16"]
    assert (chosen.faults, chosen.fault, chosen.fell_back) == ({}, None, False)
    asked = load(copy, "openvino-bf16").engine
    assert asked.fault is not None
    assert "no bfloat16" in asked.fault
    assert asked.fell_back


@pytest.mark.parametrize("name", [GRAPH_FILE, WEIGHTS_FILE])
def test_an_engine_that_cannot_be_read_costs_speed_and_not_the_version(
    copy: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk's read error can't be had on purpose, and root may read every file."""
    opens = Path.open

    def worn(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.as_posix().endswith(name):
            raise OSError(errno.EIO, "Input/output error", str(self))
        return opens(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", worn)
    for wanted in ("auto", EXACT):
        loaded = load(copy, wanted)
        assert_served_by_torch(loaded, "can't be read")
        assert loaded.engine.fell_back


def test_torch_does_not_come_back_from_weights_that_have_changed(copy: Path) -> None:
    """A flipped bit leaves keys, shapes and numbers as they were: only the manifest knows."""
    loaded = load(copy)
    assert loaded.scorer is not None
    assert loaded.lost is None
    (weights,) = copy.parent.glob("v0001-*/model.safetensors")
    weights.chmod(0o644)
    content = bytearray(weights.read_bytes())
    content[-100] ^= 1
    weights.write_bytes(content)
    failing = dataclasses.replace(loaded, fast=FastScorer(EXACT, loaded.scorer, Failing(RuntimeError("no memory"))))
    for _ in range(2):
        with pytest.raises(ModelRefused, match="has changed since it was published"):
            scores(failing)
    assert failing.lost is not None
    assert "model.safetensors has changed" in failing.lost
    content[-100] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelRefused):
        scores(failing)  # whoever wants it again loads the version again
