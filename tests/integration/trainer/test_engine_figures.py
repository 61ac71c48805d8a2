"""What engines are measured by and chosen for: agreement, worth, and a library that reports nothing."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from store.engines import choose as choosing
from store.engines.names import TORCH
from tests.integration.trainer.built_engines import BLEND, LISTS
from trainer.engines import agreement, kendall_tau


def test_an_engine_that_differs_more_must_be_worth_it() -> None:
    difference = {TORCH: 0.0, "a": 1e-6, "b": 1e-2}
    worth = choosing.WORTH
    assert choosing.fastest({TORCH: 100.0, "a": 100.0 / worth + 1, "b": 100.0 / worth + 2}, difference) == TORCH
    assert choosing.fastest({TORCH: 100.0, "a": 50.0, "b": 50.0 / worth + 1}, difference) == "a"
    assert choosing.fastest({TORCH: 100.0, "a": 50.0, "b": 40.0}, difference) == "b"
    assert choosing.fastest({TORCH: 100.0, "a": 150.0, "b": 40.0}, difference) == "b"


def test_nothing_is_reported_to_the_makers_of_the_library() -> None:
    code = (
        "import sys; from store.engines.openvino import library; library(); import openvino;"
        "sys.exit(sys.modules['openvino_telemetry'] is not None)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_kendalls_tau() -> None:
    def tau(a: Sequence[float], b: Sequence[float]) -> float:
        return kendall_tau(np.array(a), np.array(b))

    assert tau([1, 2, 3], [10, 20, 30]) == 1
    assert tau([1, 2, 3], [3, 2, 1]) == -1
    assert tau([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx((5 - 1) / 6)
    assert tau([1, 1, 2], [1, 2, 3]) == pytest.approx(2 / np.sqrt(2 * 3))
    assert tau([5, 5], [5, 5]) == 1
    assert tau([5, 5], [5, 6]) == 0


def test_agreement_is_about_the_order_that_is_served() -> None:
    one = dataclasses.replace(LISTS[0], content_hashes=("t0", "t1"), dense_scores=(0.9, 0.1), lexical_scores=(0.0, 0.0))
    want, have = np.array([0.0, 0.1], np.float32), np.array([0.1, 0.0], np.float32)
    found = agreement([one], BLEND, [want], [have])
    assert found["kendall_tau_of_logits"] == -1
    assert found["kendall_tau"] == 1  # the first stage's 0.8 outweighs the logits' 0.1
    assert found["largest_difference"] == pytest.approx(0.1)
    swapped = agreement([dataclasses.replace(one, dense_scores=(0.1, 0.15))], BLEND, [want], [have])
    assert swapped["kendall_tau"] == -1
    assert swapped["ndcg@10_difference"] == pytest.approx(1 - 1 / np.log2(3))
