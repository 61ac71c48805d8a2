from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder

from store.scorer import Scorer, reference_scores
from tests import tiny

LONG_CODE = "def read(path):\n    return open(path).read()\n" * 60
LONG_QUERY = "how to read a json file and parse the config " * 40
PAIRS = [
    ("how to read a file", "def read(path): ..."),
    ("how to read a file", LONG_CODE),
    (LONG_QUERY, "return none"),
    (LONG_QUERY, LONG_CODE),
    ("", ""),
    ("größte 最大 \x00 \t\n", "naïve λ → 😀"),
    *((f"login {n}", "user token " * n) for n in range(30)),
]
MAX_LENGTH = 64


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("scorer") / "model", max_length=MAX_LENGTH)


@pytest.fixture(scope="module")
def scorer(directory: Path) -> Scorer:
    return Scorer.load(directory, max_length=MAX_LENGTH)


def test_logits_are_those_of_plain_cross_encoder(directory: Path, scorer: Scorer) -> None:
    model = CrossEncoder(str(directory), device="cpu", local_files_only=True)
    expected = model.predict(PAIRS, activation_fn=torch.nn.Identity(), show_progress_bar=False)
    got = scorer.score_pairs(PAIRS)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert np.ptp(got) > 0.1  # scores that differ, or equality would say little


def test_reference_scores_are_the_same(directory: Path, scorer: Scorer) -> None:
    np.testing.assert_allclose(reference_scores(directory, PAIRS[:4]), scorer.score_pairs(PAIRS[:4]), atol=1e-4)


def test_pairs_are_cut_longest_first(scorer: Scorer) -> None:
    """63 of 64 tokens' worth of words more on the longer side changes nothing, on the shorter side it does."""
    base = scorer.score("read file", ["token " * 200])
    assert scorer.score("read file", ["token " * 300]) == base
    assert scorer.score("read file now", ["token " * 200]) != base


def test_a_score_does_not_depend_on_its_company(scorer: Scorer) -> None:
    alone = np.array([scorer.score_pairs([pair])[0] for pair in PAIRS])
    np.testing.assert_allclose(scorer.score_pairs(PAIRS), alone, atol=1e-5)
    np.testing.assert_allclose(scorer.score_pairs(PAIRS[::-1]), alone[::-1], atol=1e-5)


def test_no_texts_no_scores(scorer: Scorer) -> None:
    assert scorer.score("anything", []).shape == (0,)


def test_threads_share_one_scorer(scorer: Scorer) -> None:
    expected = scorer.score_pairs(PAIRS)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: scorer.score_pairs(PAIRS), range(24)))
    for result in results:
        np.testing.assert_allclose(result, expected, atol=1e-5)


def test_a_zero_head_scores_zero(tmp_path: Path) -> None:
    scorer = Scorer.load(tiny.cross_encoder(tmp_path / "zero", zero_head=True), max_length=256)
    assert scorer.score_pairs(PAIRS[:3]).tolist() == [0.0, 0.0, 0.0]
