"""Requests that wait together are scored together: the same scores, never two versions in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from server.retrieval.together import Together
from store.errors import Cancelled, ModelRefused
from store.loading import LoadedVersion
from store.scorer import Logits, Scorer
from store.types import Blend, Version, VersionForm
from tests import tiny
from tests.integration.server.sockets import listening
from tests.integration.server.support import Running, until

QUERIES = ("read the config", "delete a user", "cache the result", "sort names", "open the file", "close a session")
TEXTS = tuple(
    f"def {name}(path):\n    return {name} " * n for n, name in enumerate(("open", "read", "sort", "list"), 1)
)


class Recorded(Scorer):
    """A real scorer that writes down its passes, waits at a gate, and chokes on one query."""

    def start_recording(self) -> None:
        self.passes: list[list[tuple[str, str]]] = []
        self.gate = Event()
        self.gate.set()

    def score(self, query: str, texts: Sequence[str]) -> Logits:
        return self.score_pairs([(query, text) for text in texts])

    def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> Logits:
        self.passes.append(list(pairs))
        assert self.gate.wait(30)
        if any(query == "poison" for query, _ in pairs):
            raise ModelRefused("poisoned")
        return super().score_pairs(pairs)

    @property
    def queries(self) -> list[list[str]]:
        """Of each pass."""
        return [list(dict.fromkeys(query for query, _ in pairs)) for pairs in self.passes]


def loaded(directory: Path, number: int) -> tuple[LoadedVersion, Recorded]:
    scorer = Recorded.load(tiny.pooled_cross_encoder(directory / f"v{number}", seed=number), max_length=256)
    assert isinstance(scorer, Recorded)
    scorer.start_recording()
    blend = Blend(dense=0.0, lexical=0.0, rerank=1.0)
    made = datetime.now(UTC)
    version = Version(number, "v", VersionForm.CROSS_ENCODER, "tiny", None, None, None, blend, {}, None, (), made, None)
    return LoadedVersion(version, blend, scorer), scorer


@dataclass
class Asking:
    """Questions asked at once while the engine is held, in a known order."""

    together: Together
    people: ThreadPoolExecutor
    asked: list[Future[Logits]] = field(default_factory=list)

    def ask(self, version: LoadedVersion, query: str, given_up: Event | None = None) -> Future[Logits]:
        place = self.together.waiting()
        future = self.people.submit(self.together.logits, version, query, TEXTS, given_up)
        until(lambda: self.together.waiting() == place + 1 or future.done())
        return future

    def hold(self, version: LoadedVersion, scorer: Recorded) -> Future[Logits]:
        """A question that keeps the engine busy until its gate opens."""
        scorer.gate.clear()
        future = self.people.submit(self.together.logits, version, "first", TEXTS, None)
        until(lambda: len(scorer.passes) == 1)
        return future


@pytest.fixture
def asking() -> Iterator[Asking]:
    with ThreadPoolExecutor(16) as people:
        yield Asking(Together(), people)


def test_waiting_questions_are_one_pass_with_the_scores_of_each_alone(asking: Asking, tmp_path: Path) -> None:
    version, scorer = loaded(tmp_path, 1)
    asking.hold(version, scorer)
    asked = {query: asking.ask(version, query) for query in QUERIES}
    scorer.gate.set()
    got = {query: future.result(30) for query, future in asked.items()}
    assert scorer.queries == [["first"], list(QUERIES)]
    for query in QUERIES:
        np.testing.assert_allclose(got[query], scorer.score(query, TEXTS), atol=1e-5)
    assert len({tuple(scores.tolist()) for scores in got.values()}) == len(QUERIES)


def test_one_question_asked_twice_is_scored_once_in_a_pass(asking: Asking, tmp_path: Path) -> None:
    version, scorer = loaded(tmp_path, 1)
    asking.hold(version, scorer)
    twice = [asking.ask(version, QUERIES[0]) for _ in range(2)]
    scorer.gate.set()
    first, second = (future.result(30) for future in twice)
    assert len(scorer.passes[1]) == len(TEXTS)
    np.testing.assert_array_equal(first, second)


def test_a_pass_is_bounded(tmp_path: Path) -> None:
    version, scorer = loaded(tmp_path, 1)
    with ThreadPoolExecutor(16) as people:
        asking = Asking(Together(most_pairs=2 * len(TEXTS)), people)
        asking.hold(version, scorer)
        asked = [asking.ask(version, query) for query in QUERIES]
        scorer.gate.set()
        assert [len(future.result(30)) for future in asked] == [len(TEXTS)] * len(QUERIES)
    assert scorer.queries == [["first"], *(list(QUERIES[n : n + 2]) for n in range(0, len(QUERIES), 2))]


def test_a_swap_between_questions_never_mixes_versions(asking: Asking, tmp_path: Path) -> None:
    (old, old_scorer), (new, new_scorer) = loaded(tmp_path, 1), loaded(tmp_path, 2)
    asking.hold(old, old_scorer)
    asked = [(version, query, asking.ask(version, query)) for query in QUERIES for version in (old, new)]
    old_scorer.gate.set()
    for version, query, future in asked:
        assert version.scorer is not None
        np.testing.assert_allclose(future.result(30), version.scorer.score(query, TEXTS), atol=1e-5)
    assert old_scorer.queries[:2] == [["first"], list(QUERIES)]
    assert new_scorer.queries[:1] == [list(QUERIES)]


def test_a_question_that_was_given_up_is_not_scored(asking: Asking, tmp_path: Path) -> None:
    version, scorer = loaded(tmp_path, 1)
    asking.hold(version, scorer)
    left = Event()
    futures = [asking.ask(version, QUERIES[0]), asking.ask(version, QUERIES[1], left), asking.ask(version, QUERIES[2])]
    left.set()
    scorer.gate.set()
    with pytest.raises(Cancelled):
        futures[1].result(30)
    for future in (futures[0], futures[2]):
        future.result(30)
    assert scorer.queries == [["first"], [QUERIES[0], QUERIES[2]]]
    assert asking.together.waiting() == 0


def test_one_questions_failure_is_its_own(asking: Asking, tmp_path: Path) -> None:
    version, scorer = loaded(tmp_path, 1)
    asking.hold(version, scorer)
    futures = {query: asking.ask(version, query) for query in (QUERIES[0], QUERIES[1], "poison", QUERIES[2])}
    scorer.gate.set()
    with pytest.raises(ModelRefused, match="poisoned"):
        futures["poison"].result(30)
    for query in QUERIES[:3]:
        np.testing.assert_allclose(futures[query].result(30), scorer.score(query, TEXTS), atol=1e-5)
    assert asking.together.waiting() == 0


def test_a_caller_who_hangs_up_leaves_the_queue(own: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question holds the engine; of two that wait, one hangs up and is never scored."""
    good = own.version("good")
    own.admin("POST", f"/models/{good.id}/promote", json={"reason": "test", "force": True})
    scorer = own.state.follower.reranker.current().scorer
    assert scorer is not None
    go, seen, real = Event(), [], scorer.score

    def waits(query: str, texts: Sequence[str]) -> Logits:
        seen.append(query)
        assert go.wait(60)
        return real(query, texts)

    monkeypatch.setattr(scorer, "score", waits)
    with listening(own) as connect:
        first = connect("POST", "/api/search", {"query": "read the first"})
        until(lambda: seen == ["read the first"])
        leaver = connect("POST", "/api/search", {"query": "read the second"})
        until(lambda: own.state.search.waiting() == 1)
        leaver.close()
        until(lambda: 'status="499"' in own.client.get("/metrics").text)
        stayer = connect("POST", "/api/search", {"query": "read the third"})
        until(lambda: own.state.search.waiting() == 2)
        go.set()
        for reader in (first, stayer):
            assert b"results" in reader.read_until(b"results")
            reader.close()
    assert seen == ["read the first", "read the third"]
