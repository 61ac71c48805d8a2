"""The pooled form: the same logits as plain CrossEncoder, and nothing but that form is accepted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder

from store import manifest
from store.errors import ModelRefused
from store.forms import HEAD_WEIGHTS
from store.scorer import Scorer, reference_scores
from store.verify import verify_in_fresh_process
from tests import tiny
from tests.integration.store.test_scorer import PAIRS

Break = Callable[[Path], None]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.pooled_cross_encoder(tmp_path_factory.mktemp("pooled") / "model", max_length=64)


@pytest.fixture
def model(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "model"))


def test_logits_are_those_of_plain_cross_encoder(good: Path) -> None:
    plain = CrossEncoder(str(good), device="cpu", local_files_only=True)
    expected = plain.predict(PAIRS, activation_fn=torch.nn.Identity(), show_progress_bar=False)
    got = Scorer.load(good, max_length=64).score_pairs(PAIRS)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    np.testing.assert_allclose(reference_scores(good, PAIRS[:4]), expected[:4], atol=1e-4)
    assert np.ptp(got) > 0.1  # scores that differ, or equality would say little


def test_a_logit_is_the_dot_product_of_features_and_head(good: Path) -> None:
    scorer = Scorer.load(good, max_length=64)
    assert scorer.head is not None
    weights, bias = scorer.head
    features = scorer.features(PAIRS)
    assert features.shape == (len(PAIRS), 3 * 32)
    np.testing.assert_allclose(features @ weights + bias, scorer.score_pairs(PAIRS), atol=1e-5)


def test_features_are_reported_and_can_be_ended(good: Path) -> None:
    scorer = Scorer.load(good, max_length=64)
    seen: list[int] = []
    scorer.features(PAIRS, each=seen.append)
    assert seen[0] == 0
    assert seen == sorted(set(seen))

    def stop(_: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        scorer.features(PAIRS, each=stop)


def test_the_single_form_has_no_features(tmp_path: Path) -> None:
    scorer = Scorer.load(tiny.cross_encoder(tmp_path / "single"), max_length=64)
    assert scorer.head is None
    with pytest.raises(ValueError, match="pooled form"):
        scorer.features(PAIRS[:1])


def test_it_can_be_published(model: Path) -> None:
    scores = Scorer.load(model, max_length=64).score_pairs(manifest.PROBE_TEXTS).tolist()
    probes = [manifest.Probe(q, p, s) for (q, p), s in zip(manifest.PROBE_TEXTS, scores, strict=True)]
    manifest.write_lineage(model, {"base": "tiny"})
    manifest.write(model, max_length=64, probes=probes)
    verify_in_fresh_process(model)
    assert Scorer.load(model, max_length=64).score_pairs(manifest.PROBE_TEXTS).tolist() == scores
    manifest.write(
        model, max_length=64, probes=[manifest.Probe(one.query, one.passage, one.score + 1) for one in probes]
    )
    with pytest.raises(ModelRefused):
        verify_in_fresh_process(model)


def change(name: str, **values: object) -> Break:
    def apply(model: Path) -> None:
        content = json.loads((model / name).read_text())
        (model / name).write_text(json.dumps({**content, **values}))

    return apply


def modules(at: int, **values: str) -> Break:
    def apply(model: Path) -> None:
        content = json.loads((model / "modules.json").read_text())
        content[at].update(values)
        (model / "modules.json").write_text(json.dumps(content))

    return apply


def one_more(model: Path) -> None:
    content = json.loads((model / "modules.json").read_text())
    (model / "modules.json").write_text(json.dumps([*content, content[-1]]))


def head(**tensors: torch.Tensor | None) -> Break:
    def apply(model: Path) -> None:
        named = {name.replace("_", "."): tensor for name, tensor in tensors.items()}
        merged = {**load_file(model / HEAD_WEIGHTS), **named}
        kept = {name: tensor for name, tensor in merged.items() if tensor is not None}
        save_file(kept, model / HEAD_WEIGHTS, {"format": "pt"})

    return apply


def without(name: str) -> Break:
    return lambda model: (model / name).unlink()


def damaged(model: Path) -> None:
    content = (model / HEAD_WEIGHTS).read_bytes()
    (model / HEAD_WEIGHTS).write_bytes(content[:-20])


def pickled(model: Path) -> None:
    torch.save({}, model / "2_Dense" / "pytorch_model.bin")


DENSE, POOLING = "2_Dense/config.json", "1_Pooling/config.json"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without(HEAD_WEIGHTS), "missing file: 2_Dense/model.safetensors"),
        (without(DENSE), "missing file: 2_Dense/config.json"),
        (without(POOLING), "empty folder: 1_Pooling"),
        (pickled, "safetensors"),
        (damaged, "cannot be loaded: 2_Dense"),
        (head(linear_weight=None), "missing weights.*linear.weight"),
        (head(extra=torch.ones(1)), "unexpected weights.*extra"),
        (head(linear_weight=torch.ones(1, 95)), "mismatched weights.*linear.weight"),
        (head(linear_weight=torch.ones(2, 96)), "mismatched weights.*linear.weight"),
        (head(linear_bias=torch.ones(2)), "mismatched weights.*linear.bias"),
        (head(linear_weight=torch.ones(1, 96, dtype=torch.float64)), "float32"),
        (head(linear_weight=torch.full((1, 96), torch.nan)), "not finite: weight"),
        (head(linear_bias=torch.full((1,), torch.inf)), "not finite: bias"),
        (modules(1, type="sentence_transformers.sentence_transformer.modules.normalize.Normalize"), "modules.json"),
        (modules(2, type="evil.Dense"), "modules.json"),
        (modules(2, path="../2_Dense"), "modules.json"),
        (modules(0, path="0_Transformer"), "modules.json"),
        (one_more, "modules.json"),
        (lambda model: (model / "modules.json").write_text('["a", "b", "c"]'), "list of modules"),
        (change(DENSE, activation_function="torch.nn.modules.activation.Tanh"), "activation_function must be"),
        (change(DENSE, activation_function="os.system"), "activation_function must be"),
        (change(DENSE, out_features=2), "out_features must be 1"),
        (change(DENSE, in_features=95), "in_features must be 96"),
        (change(DENSE, bias=False), "bias must be True"),
        (change(DENSE, use_residual=True), "without a residual"),
        (change(DENSE, module_output_name="sentence_embedding"), "module_output_name must be 'scores'"),
        (change(DENSE, auto_map={"x": "y"}), "remote code"),
        (change(POOLING, pooling_mode=["cls", "max", "lasttoken"]), "unknown poolings lasttoken"),
        (change(POOLING, pooling_mode=[]), "list of poolings"),
        (change(POOLING, embedding_dimension=33), "in_features must be 99"),
        (change("sentence_bert_config.json", transformer_task="text-generation"), "transformer_task must be"),
    ],
)
def test_anything_else_is_refused(model: Path, damage: Break, reason: str) -> None:
    damage(model)
    with pytest.raises(ModelRefused, match=reason):
        Scorer.load(model, max_length=64)


def test_another_width_is_refused(model: Path) -> None:
    change(POOLING, embedding_dimension=16)(model)
    change(DENSE, in_features=48)(model)
    head(linear_weight=torch.ones(1, 48))(model)
    with pytest.raises(ModelRefused, match="width 16, the model has 32"):
        Scorer.load(model, max_length=64)
