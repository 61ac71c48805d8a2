"""Engines: exported and measured when a version is built, checked and chosen when it is loaded, and every way back."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from store import loading, manifest, plain, published
from store.engines.choose import Choice, choose
from store.engines.convert import write
from store.engines.fast import FastScorer
from store.engines.names import FILES, GRAPH_FILE, TORCH, WEIGHTS_FILE
from store.engines.openvino import OpenVino, library
from store.errors import ModelRefused, Unavailable
from store.manifest import Engine, Probe
from store.scorer import Scorer
from store.types import Blend, EvalQuery, Split, Version, VersionForm
from tests import tiny
from trainer import engines as exporting
from trainer.engines import Staged, export_engines

EXACT = "openvino-fp32"
BLEND = Blend(dense=1.0, lexical=0.1, rerank=1.0)
TEXTS = {f"t{n}": f"def read_{n}(path):\n    return parse(path, {n})\n" * (1 + n % 5) for n in range(8)}
LISTS = [
    EvalQuery(
        group_id=n,
        query=f"how to read file {n}",
        split=Split.TRAIN,
        content_hashes=tuple(TEXTS),
        dense_scores=tuple(0.5 - 0.01 * place for place in range(8)),
        lexical_scores=(0.0,) * 8,
        relevance={f"t{n % 8}": 1.0},
    )
    for n in range(12)
]
QUERY, PASSAGES = "how is the config parsed", list(TEXTS.values())


def staged_from(directory: Path) -> Staged:
    scorer = Scorer.load(directory, max_length=256)
    scores = scorer.score_pairs(manifest.PROBE_TEXTS).tolist()
    probes = [Probe(q, p, score) for (q, p), score in zip(manifest.PROBE_TEXTS, scores, strict=True)]
    return Staged(directory, scorer, scorer, probes, BLEND)


def build(directory: Path) -> tuple[Engine, ...]:
    """What a night does with a trained model, as far as engines go."""
    staged = staged_from(directory)
    engines, _ = export_engines(staged, LISTS, TEXTS)
    manifest.write(directory, max_length=256, probes=staged.probes, engines=engines)
    return engines


@pytest.fixture(scope="module", params=[tiny.cross_encoder, tiny.pooled_cross_encoder], ids=["single", "pooled"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make: Callable[[Path], Path] = request.param
    directory = make(tmp_path_factory.mktemp("engines") / "model")
    build(directory)
    return directory


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "copy"))


def load(directory: Path, wanted: str = EXACT) -> loading.LoadedVersion:
    """As a server loads a registered version: the directory is named by its manifest's digest."""
    if directory.exists():
        digest = manifest.read(directory).digest[: published.DIGEST_CHARACTERS]
        directory.rename(directory.with_name(f"v0001-{digest}"))
    named = next(directory.parent.glob("v0001-*"))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    version = Version(
        1, "one", VersionForm.CROSS_ENCODER, "tiny", None, None, named.name, BLEND, {}, None, (), now, None
    )
    return loading.load_version(version, named.parent, engine=wanted)


def scores(loaded: loading.LoadedVersion) -> list[float]:
    rerank, _ = loaded.score(QUERY, PASSAGES, [0.0] * len(PASSAGES), [0.0] * len(PASSAGES))
    assert rerank is not None
    return [float(one) for one in rerank]


def assert_served_by_torch(loaded: loading.LoadedVersion, because: str) -> None:
    assert loaded.engine.name == TORCH
    assert because in loaded.engine.reason
    assert loaded.scorer is not None
    assert scores(loaded) == loaded.scorer.score(QUERY, PASSAGES).tolist()


def edit(directory: Path, change: Callable[[Engine], Engine]) -> None:
    """Publish the directory with other words about its engines than torch."""
    found = manifest.read(directory)
    engines = [one if one.name == TORCH else change(one) for one in found.engines]
    manifest.write(directory, max_length=found.max_length, probes=found.probes, engines=engines)


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


def test_too_few_lists_leave_torch_alone(tmp_path: Path) -> None:
    directory = tiny.cross_encoder(tmp_path / "model")
    engines, notes = export_engines(staged_from(directory), LISTS[:9], TEXTS)
    assert [engine.name for engine in engines] == [TORCH]
    assert "9 lists are too few" in notes[0]
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


class Failing(OpenVino):
    """An engine whose library breaks while it runs, as when memory runs out."""

    def __init__(self, error: Exception | None) -> None:
        self.error, self.asked = error, 0

    def run(self, batches: object, out: object) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


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
        with pytest.raises(ModelRefused, match="model.safetensors has changed"):
            scores(failing)
    assert failing.lost is not None
    assert "model.safetensors has changed" in failing.lost
    content[-100] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelRefused):
        scores(failing)  # whoever wants it again loads the version again


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
