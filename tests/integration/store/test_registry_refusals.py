"""A model directory that is broken in any of the known ways is refused, and the reason says which."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from store import manifest, plain
from store.errors import ModelRefused
from store.loading import load_checked
from store.scorer import Scorer
from store.verify import verify, verify_in_fresh_process
from tests import tiny

Break = Callable[[Path], None]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tiny.cross_encoder(tmp_path_factory.mktemp("good") / "model")
    scores = Scorer.load(directory, max_length=256).score_pairs(manifest.PROBE_TEXTS).tolist()
    probes = [manifest.Probe(q, p, s) for (q, p), s in zip(manifest.PROBE_TEXTS, scores, strict=True)]
    manifest.write_lineage(directory, {"base": "tiny"})
    manifest.write(directory, max_length=256, probes=probes)
    return directory


@pytest.fixture
def model(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "model"))


def truncate(model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def flip_bit(model: Path) -> None:
    path = model / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(model: Path) -> None:
    (model / "tokenizer.json").write_bytes(b"")


def sparse(model: Path) -> None:
    os.truncate(model / "model.safetensors", 15 * 2**30)


def sparse_beyond_limit(model: Path) -> None:
    os.truncate(model / "model.safetensors", plain.MAX_FILE + 1)


def link(model: Path) -> None:
    target = model.parent / "config.json"
    shutil.move(model / "config.json", target)
    (model / "config.json").symlink_to(target)


def linked_folder(model: Path) -> None:
    (model / "more").symlink_to(model.parent)


def pipe(model: Path) -> None:
    os.mkfifo(model / "pipe.json")


def entry(name: str) -> Break:
    def add(model: Path) -> None:
        path = model / manifest.NAME
        content = json.loads(path.read_text())
        content["files"][name] = {"sha256": "0" * 64, "size": 1}
        path.write_text(json.dumps(content))

    return add


def write(name: str, content: str | None) -> Break:
    def change(model: Path) -> None:
        if content is None:
            (model / name).unlink()
        else:
            (model / name).parent.mkdir(exist_ok=True)
            (model / name).write_text(content)

    return change


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "truncated"),
        (flip_bit, "sha256 differs"),
        (empty, "empty file: tokenizer.json"),
        (sparse, "instead of"),
        (sparse_beyond_limit, "more than a model may have"),
        (link, "symbolic link: config.json"),
        (linked_folder, "symbolic link: more"),
        (pipe, "not a plain file"),
        (entry("../secret.json"), "outside the directory"),
        (entry("/etc/passwd"), "outside the directory"),
        (entry("a//b.json"), "outside the directory"),
        (entry("gone.json"), "missing file: gone.json"),
        (write("tokenizer.json", None), "missing file: tokenizer.json"),
        (write("manifest.json", None), "missing file: manifest.json"),
        (write("manifest.json", "{"), "not readable as JSON"),
        (write("manifest.json", "[" * 100_000), "not readable as JSON"),
        (write("manifest.json", "[]"), "form of a manifest"),
        (write("manifest.json", '{"format": 99}'), "format 99"),
        (write("extra.json", "{}"), "not in the manifest: extra.json"),
        (write("sub/extra.txt", "x"), "not in the manifest: sub/extra.txt"),
        (write("pytorch_model.bin", "x"), "safetensors"),
        (write("model.pkl", "x"), "safetensors"),
        (write("modeling.py", "x"), "refused"),
    ],
)
def test_a_changed_directory_is_refused_by_its_manifest(model: Path, damage: Break, reason: str) -> None:
    manifest.verify(model)
    damage(model)
    with pytest.raises(ModelRefused, match=reason):
        manifest.verify(model)


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="no model directory"):
        manifest.verify(tmp_path / "nowhere")


def resave(model: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = load_file(model / "model.safetensors")
    change(weights)
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})


def set_json(name: str, **values: object) -> Break:
    def change(model: Path) -> None:
        content = json.loads((model / name).read_text())
        (model / name).write_text(json.dumps({**content, **values}))

    return change


def without_head(model: Path) -> None:
    def drop(weights: dict[str, torch.Tensor]) -> None:
        del weights["classifier.weight"]

    resave(model, drop)


def additional_weight(model: Path) -> None:
    resave(model, lambda weights: weights.update(extra=torch.ones(1)))


def not_a_number(model: Path) -> None:
    resave(model, lambda weights: weights["classifier.weight"].view(-1)[3].fill_(float("nan")))


def infinite(model: Path) -> None:
    resave(model, lambda weights: weights["bert.embeddings.word_embeddings.weight"][5].fill_(float("inf")))


def misshapen(model: Path) -> None:
    resave(model, lambda weights: weights.update({"classifier.weight": torch.ones(1, 31)}))


def larger_vocabulary(model: Path) -> None:
    content = json.loads((model / "tokenizer.json").read_text())
    content["model"]["vocab"]["zebra"] = len(content["model"]["vocab"])
    (model / "tokenizer.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "weights cannot be loaded"),
        (without_head, "missing weights.*classifier.weight"),
        (additional_weight, "unexpected weights.*extra"),
        (misshapen, "mismatched|cannot be loaded"),
        (not_a_number, "not finite: classifier.weight"),
        (infinite, "not finite"),
        (larger_vocabulary, "wrong vocabulary"),
        (set_json("config.json", auto_map={"AutoModel": "x.Y"}), "remote code"),
        (set_json("tokenizer_config.json", auto_map={"AutoTokenizer": ["x.Y", None]}), "remote code"),
        (set_json("config.json", num_labels=2, id2label={"0": "a", "1": "b"}), "one label"),
        (set_json("config.json", model_type="unheard-of"), "cannot be loaded"),
        (set_json("config_sentence_transformers.json", activation_fn="os.system"), "activation"),
        (write("modules.json", '[{"type": "evil.Module", "path": "", "name": "0"}]'), "modules.json"),
        (write("modules.json", '[{"type": "sentence_transformers.x.Transformer", "path": "../a"}]'), "modules.json"),
        (write("tokenizer.json", None), "missing file: tokenizer.json"),
        (write("tokenizer.json", "{}"), "tokenizer"),
    ],
)
def test_a_broken_model_is_refused_by_the_scorer(model: Path, damage: Break, reason: str) -> None:
    damage(model)
    with pytest.raises(ModelRefused, match=reason):
        Scorer.load(model, max_length=256)


def test_more_tokens_than_positions_are_refused(model: Path) -> None:
    with pytest.raises(ModelRefused, match="positions"):
        Scorer.load(model, max_length=513)


def swap_words(model: Path) -> None:
    content = json.loads((model / "tokenizer.json").read_text())
    vocabulary = content["model"]["vocab"]
    words = [word for word in vocabulary if not word.startswith("[")]
    ids = [vocabulary[word] for word in words]
    vocabulary.update(zip(words, reversed(ids), strict=True))
    (model / "tokenizer.json").write_text(json.dumps(content))


def test_another_vocabulary_of_the_same_size_is_found_by_the_probes(model: Path) -> None:
    """It loads without a word of complaint: only what it scores tells."""
    probes = manifest.read(model).probes
    swap_words(model)
    found = manifest.write(model, max_length=256, probes=probes)
    with pytest.raises(ModelRefused, match="probe 1 scores"):
        load_checked(model, found)


def test_a_fresh_process_says_why(model: Path) -> None:
    verify_in_fresh_process(model)
    flip_bit(model)
    with pytest.raises(ModelRefused, match="sha256 differs"):
        verify_in_fresh_process(model)


def test_a_tokenizer_that_cuts_elsewhere_is_refused(model: Path) -> None:
    """Plain CrossEncoder would not give the served logits."""
    probes = manifest.read(model).probes
    set_json("tokenizer_config.json", model_max_length=32)(model)
    manifest.write(model, max_length=256, probes=probes)
    with pytest.raises(ModelRefused, match="plain CrossEncoder disagrees"):
        verify(model)
