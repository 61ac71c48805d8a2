"""Engines: exported and measured when a version is built, checked and chosen when it is loaded, and every way back."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from store import loading, manifest, plain
from store.engines.choose import SAMPLE, Choice, choose
from store.engines.convert import write
from store.engines.fast import FastScorer
from store.engines.names import FILES, GRAPH_FILE, TORCH, WEIGHTS_FILE
from store.engines.openvino import OpenVino, library
from store.errors import ModelRefused, Unavailable
from store.scorer import Scorer
from tests import tiny
from tests.integration.trainer.built_engines import (
    EXACT,
    LISTS,
    PASSAGES,
    QUERY,
    TEXTS,
    Failing,
    assert_served_by_torch,
    build,
    edit,
    load,
    scores,
    staged_from,
)
from trainer import engines as exporting
from trainer.engines import export_engines


@pytest.fixture(scope="module", params=[tiny.cross_encoder, tiny.pooled_cross_encoder], ids=["single", "pooled"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make: Callable[[Path], Path] = request.param
    directory = make(tmp_path_factory.mktemp("engines") / "model")
    build(directory)
    return directory


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "copy"))


def test_a_built_version_lists_what_was_measured(built: Path) -> None:
    found = manifest.verify(built)
    assert found.files.keys() >= FILES
    assert found.engines[0].name == TORCH
    engine = next(one for one in found.engines if one.name == EXACT)
    assert engine.difference < 1e-4
    assert engine.tolerance == manifest.PROBE_TOLERANCE
    assert engine.measured["lists"] == len(LISTS)
    assert engine.measured["pairs"] == len(LISTS) * len(TEXTS)
    assert engine.measured["kendall_tau"] == 1.0
    assert engine.measured["ndcg@10_difference"] == 0.0
    assert engine.measured["bounds"] == {"least_kendall_tau": 0.97, "most_ndcg@10_difference": 0.003}


def test_the_engine_gives_torchs_logits(copy: Path) -> None:
    loaded = load(copy)
    assert (loaded.engine.name, loaded.engine.refused) == (EXACT, {})
    assert loaded.scorer is not None
    want = loaded.scorer.score(QUERY, PASSAGES)
    assert np.ptp(want) > 1e-3
    np.testing.assert_allclose(scores(loaded), want, atol=1e-4)
    assert loaded.fast is not None
    assert loaded.fast.score(QUERY, []).shape == (0,)


def test_torch_scores_where_nobody_asks_for_more(copy: Path) -> None:
    assert_served_by_torch(load(copy, TORCH), "RANKLOOP_RERANK_ENGINE")


def test_automatic_choice_is_one_of_the_listed_and_says_why(copy: Path) -> None:
    listed = {engine.name for engine in manifest.read(copy).engines}
    loaded = load(copy, "auto")
    assert loaded.engine.name in listed
    assert TORCH in loaded.engine.reason or "no listed engine" in loaded.engine.reason
    assert loaded.engine.milliseconds.keys() == listed - loaded.engine.refused.keys()


@pytest.mark.parametrize("make", [tiny.cross_encoder, tiny.pooled_cross_encoder], ids=["single", "pooled"])
def test_too_few_lists_leave_the_engine_that_rounds_nothing(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    directory = make(tmp_path / "model")
    staged = staged_from(directory)
    engines, notes = export_engines(staged, LISTS[:9], TEXTS)
    assert [engine.name for engine in engines] == [TORCH, EXACT]
    assert "openvino-bf16" in notes[0]
    assert "9 lists are too few" in notes[0]
    assert engines[1].tolerance == manifest.PROBE_TOLERANCE
    assert engines[1].measured["pairs"] == len(staged.probes) + len(SAMPLE)
    assert engines[1].difference == engines[1].measured["largest_difference"] < 1e-4
    want = staged.scorer.score(QUERY, PASSAGES)
    manifest.write(directory, max_length=256, probes=staged.probes, engines=engines)
    loaded = load(directory)
    assert (loaded.engine.name, loaded.engine.refused) == (EXACT, {})
    np.testing.assert_allclose(scores(loaded), want, atol=1e-4)


@pytest.mark.parametrize("lists", [0, 9])
def test_without_lists_the_probes_tell_another_networks_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lists: int
) -> None:
    directory = tiny.cross_encoder(tmp_path / "model")
    other = tiny.cross_encoder(tmp_path / "other", seed=7)
    theirs = Scorer.load(other, max_length=256)
    monkeypatch.setattr(exporting, "write", lambda staged, _: write(staged, theirs))
    engines, notes = export_engines(staged_from(directory), LISTS[:lists], TEXTS)
    assert [engine.name for engine in engines] == [TORCH]
    assert any(EXACT in note and "probe 1 scores" in note for note in notes)
    assert not (directory / GRAPH_FILE).parent.exists()


@pytest.mark.parametrize(
    ("bound", "value", "said"),
    [("LEAST_TAU", 1.1, "Kendall"), ("MOST_NDCG", -1.0, "ndcg@10"), ("SLACK", 1e9, "logits")],
)
def test_an_engine_out_of_bounds_is_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: float, said: str
) -> None:
    directory = tiny.cross_encoder(tmp_path / "model")
    monkeypatch.setattr(exporting, bound, value)
    engines, notes = export_engines(staged_from(directory), LISTS, TEXTS)
    assert [engine.name for engine in engines] == [TORCH]
    assert any(EXACT in note and said in note for note in notes)
    assert not (directory / GRAPH_FILE).parent.exists()
    assert plain.check(directory)


def test_a_machine_without_the_library(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tiny.cross_encoder(tmp_path / "model")
    monkeypatch.setitem(sys.modules, "openvino", None)
    engines, notes = export_engines(staged_from(directory), LISTS, TEXTS)
    assert [engine.name for engine in engines] == [TORCH]
    assert "not installed" in notes[0]
    for wanted in ("auto", EXACT):
        assert_served_by_torch(load(copy, wanted), "not installed")


def test_a_processor_without_bfloat16(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ov = library()

    class OldCore(ov.Core):  # type: ignore[misc, name-defined]
        def get_property(self, device: str, name: str) -> list[str]:
            return ["FP32", "INT8"]

    monkeypatch.setattr(ov, "Core", OldCore)
    with pytest.raises(Unavailable, match="no bfloat16"):
        OpenVino.load(copy, "openvino-bf16")
    edit(copy, lambda engine: engine)  # whatever machine built it
    loaded = load(copy)
    assert (loaded.engine.name, loaded.engine.refused) == (EXACT, {})


@pytest.mark.parametrize("name", [GRAPH_FILE, WEIGHTS_FILE])
@pytest.mark.parametrize("damage", ["changed", "truncated", "emptied", "missing"])
def test_a_damaged_engine_costs_speed_and_not_the_version(copy: Path, name: str, damage: str) -> None:
    file = copy / name
    content = file.read_bytes()
    flipped = bytes([content[len(content) // 2] ^ 1])
    if damage == "missing":
        file.unlink()
    else:
        middle = len(content) // 2
        file.write_bytes(
            {"changed": content[:middle] + flipped + content[middle + 1 :], "truncated": content[:99], "emptied": b""}[
                damage
            ]
        )
    said = {"changed": "has changed", "truncated": "99 bytes", "emptied": "0 bytes", "missing": "missing file"}[damage]
    with pytest.raises(ModelRefused):
        manifest.verify(copy)  # what publishing, exporting and the doctor ask for
    for wanted in ("auto", EXACT):
        loaded = load(copy, wanted)
        assert_served_by_torch(loaded, said)
        assert EXACT in loaded.engine.refused


def test_a_published_file_that_openvino_cannot_read(copy: Path) -> None:
    (copy / GRAPH_FILE).write_text("<net/>")
    edit(copy, lambda engine: engine)
    assert_served_by_torch(load(copy), "OpenVINO cannot load it")


def test_another_networks_engine_is_caught_by_the_probes(copy: Path, tmp_path: Path) -> None:
    make = tiny.pooled_cross_encoder if (copy / "2_Dense").exists() else tiny.cross_encoder
    other = make(tmp_path / "other", seed=7)
    write(other, Scorer.load(other, max_length=256))
    for name in FILES:
        shutil.copy(other / name, copy / name)
    edit(copy, lambda engine: engine)
    assert_served_by_torch(load(copy), "probe 1 scores")


def test_probe_scores_that_are_not_the_engines(copy: Path) -> None:
    edit(copy, lambda engine: dataclasses.replace(engine, scores=tuple(s + 0.5 for s in engine.scores)))
    assert_served_by_torch(load(copy), "probe 1 scores")


def test_a_tolerance_that_vouches_for_nothing(copy: Path) -> None:
    edit(copy, lambda engine: dataclasses.replace(engine, tolerance=1e9))
    assert_served_by_torch(load(copy, "auto"), "tolerance")


def test_asking_for_an_engine_that_the_version_does_not_have(tmp_path: Path) -> None:
    directory = tiny.cross_encoder(tmp_path / "model")
    staged = staged_from(directory)
    manifest.write(directory, max_length=256, probes=staged.probes)
    assert_served_by_torch(load(directory), "does not have")
    assert_served_by_torch(load(directory, "auto"), "lists no other engine")


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), None], ids=["raises", "gives no number"])
def test_an_engine_that_breaks_while_serving(copy: Path, error: Exception | None) -> None:
    loaded = load(copy)
    assert loaded.scorer is not None
    engine = Failing(error)
    broken = dataclasses.replace(loaded, fast=FastScorer(EXACT, loaded.scorer, engine))
    assert_served_by_torch_after_failing(broken, "out of memory" if error else "not a finite number")
    assert engine.asked == 1  # torch from then on


def test_torch_rests_while_an_engine_serves_and_is_back_when_it_fails(copy: Path) -> None:
    loaded, alone = load(copy, EXACT), load(copy, TORCH)
    assert loaded.scorer is not None
    assert alone.scorer is not None
    assert not alone.scorer.resting
    assert scores(loaded) == pytest.approx(scores(alone), abs=1e-3)
    assert loaded.scorer.resting
    failing = dataclasses.replace(loaded, fast=FastScorer(EXACT, loaded.scorer, Failing(RuntimeError("no memory"))))
    assert scores(failing) == scores(alone)
    assert not loaded.scorer.resting
    assert_served_by_torch(failing, "no memory")


def assert_served_by_torch_after_failing(loaded: loading.LoadedVersion, because: str) -> None:
    assert loaded.scorer is not None
    want = loaded.scorer.score(QUERY, PASSAGES).tolist()
    assert scores(loaded) == want
    assert scores(loaded) == want
    assert_served_by_torch(loaded, because)


def test_the_choice_tells_what_was_refused(copy: Path) -> None:
    (copy / WEIGHTS_FILE).unlink()
    choice, fast = choose(copy, manifest.read(copy), Scorer.load(copy, max_length=256), "auto", 1)
    assert isinstance(choice, Choice)
    assert fast is None
    assert EXACT in choice.refused
