"""bench/speed: users at the queue and without it, on a tiny model; the loss that training begins at."""

from __future__ import annotations

from datetime import UTC, datetime
from math import log
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.speed.training import loss_of
from bench.speed.users import CASES, measured
from server.retrieval.together import MOST_PAIRS
from store.loading import LoadedVersion
from store.scorer import Scorer
from store.types import Blend, Pair, PairSource, Version, VersionForm
from tests import tiny

QUERIES = ["read a file", "sort a list", "close a session", "delete a row"]
TEXTS = [f"def read_{n}(path):\n    return parse(path, {n})\n" for n in range(60)]


def loaded(directory: Path) -> LoadedVersion:
    scorer = Scorer.load(tiny.pooled_cross_encoder(directory, seed=1), max_length=256)
    blend, now = Blend(dense=0.0, lexical=0.0, rerank=1.0), datetime.now(UTC)
    version = Version(1, "v", VersionForm.CROSS_ENCODER, "tiny", None, None, None, blend, {}, None, (), now, None)
    return LoadedVersion(version, blend, scorer)


def speed_of() -> Any:
    candidates = [SimpleNamespace(chunk=SimpleNamespace(text=text)) for text in TEXTS]
    return SimpleNamespace(queries=QUERIES, candidates=lambda _: candidates)


@pytest.mark.parametrize(("users", "count", "together"), [(1, 10, 1), (4, 10, 4), (8, 10, 6), (4, 50, 1)])
def test_both_give_the_same_scores_and_the_row_says_what_could_merge(
    tmp_path: Path, users: int, count: int, together: int
) -> None:
    assert (users, count) in CASES
    assert together == max(1, min(users, MOST_PAIRS // count))
    row = measured(speed_of(), "tiny", loaded(tmp_path / "model"), users, count, 2)
    assert row.what == f"{users} at once, {count} real candidates each, tiny"
    assert row.pairs == 2
    assert row.more["questions_a_pass_at_most"] == together
    assert row.more["largest_difference"] < 1e-4
    assert row.ratio is not None
    assert row.plain_s is not None
    assert min(row.ratio, row.plain_s, row.ours_s, row.more["mean_wait_ms_plain"], row.more["mean_wait_ms_ours"]) > 0


def test_the_untrained_loss_is_that_of_the_base_as_it_is(tmp_path: Path) -> None:
    pairs = [Pair(1, "read a file", f"t{n}", float(n == 0), 1.0, PairSource.CHUNK_VOTE) for n in range(4)]
    texts = {f"t{n}": TEXTS[n] for n in range(4)}
    zero = tiny.pooled_cross_encoder(tmp_path / "zero", zero_head=True)
    assert loss_of(zero, pairs, texts) == pytest.approx(log(2))
    other = tiny.pooled_cross_encoder(tmp_path / "other")
    logits = Scorer.load(other, max_length=256).score_pairs([(one.query, texts[one.content_hash]) for one in pairs])
    wrong = np.where([one.label for one in pairs], -logits, logits)  # log(1 + exp(.)) of it is the loss of each
    assert loss_of(other, pairs, texts) == pytest.approx(float(np.mean(np.log1p(np.exp(wrong)))), abs=1e-4)
