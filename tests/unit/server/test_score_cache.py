"""The cache of scores: nothing is computed twice, nothing is mixed up, and it does not grow."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from server.retrieval.scores import ScoreCache
from store.scorer import Logits


def computing(hashes: Sequence[str], asked: list[list[str]]) -> Callable[[list[int]], Logits]:
    """A score that tells which chunk it is of: the number in its hash."""

    def compute(places: list[int]) -> Logits:
        asked.append([hashes[place] for place in places])
        return np.array([float(hashes[place][1:]) for place in places], dtype=np.float32)

    return compute


def ask(cache: ScoreCache, hashes: Sequence[str], asked: list[list[str]], version: int = 1, query: str = "q") -> None:
    scores = cache.scores(version, query, hashes, computing(hashes, asked))
    assert scores.tolist() == [float(name[1:]) for name in hashes]


def test_only_what_is_missing_is_computed_and_each_content_once() -> None:
    cache, asked = ScoreCache(10), list[list[str]]()
    ask(cache, ["h1", "h2", "h1"], asked)
    assert [sorted(one) for one in asked] == [["h1", "h2"]]
    ask(cache, ["h3", "h2", "h1"], asked)
    assert asked[1:] == [["h3"]]
    ask(cache, ["h3", "h1"], asked)
    assert len(asked) == 2


def test_another_version_or_query_is_another_score() -> None:
    cache, asked = ScoreCache(10), list[list[str]]()
    ask(cache, ["h1"], asked)
    ask(cache, ["h1"], asked, version=2)
    ask(cache, ["h1"], asked, query="other")
    assert len(asked) == 3


def test_what_was_used_longest_ago_goes_first() -> None:
    cache, asked = ScoreCache(2), list[list[str]]()
    ask(cache, ["h1"], asked)
    ask(cache, ["h2"], asked)
    ask(cache, ["h1"], asked)
    ask(cache, ["h3"], asked)  # h2 goes
    assert len(cache) == 2
    ask(cache, ["h1", "h3"], asked)
    assert asked[3:] == []
    ask(cache, ["h2"], asked)
    assert asked[3:] == [["h2"]]


def test_a_list_longer_than_the_cache_is_scored_all_the_same() -> None:
    cache, asked = ScoreCache(2), list[list[str]]()
    ask(cache, [f"h{n}" for n in range(9)], asked)
    assert len(cache) == 2


def test_threads_share_it() -> None:
    cache, asked = ScoreCache(50), list[list[str]]()
    lists = [[f"h{(start + n) % 90}" for n in range(20)] for start in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda hashes: ask(cache, hashes, asked), lists))
    assert len(cache) <= 50
