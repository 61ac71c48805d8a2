"""Token buckets: so many at once, then so many a minute, in bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.limits import Buckets, Tried

START = 1_000.0


def test_a_full_bucket_gives_its_size_and_then_refills() -> None:
    buckets = Buckets(30)
    assert [buckets.take("ada", START) for _ in range(31)] == [0] * 30 + [60 // 30]
    assert buckets.take("bo", START) == 0, "each has a bucket of their own"
    assert buckets.take("ada", START + 60 / 30) == 0
    assert buckets.take("ada", START + 60 / 30) == 60 // 30
    assert [buckets.take("ada", START + 3600) for _ in range(31)] == [0] * 30 + [60 // 30]


def test_waiting_as_long_as_told_is_enough() -> None:
    buckets = Buckets(7)
    now = START
    for _ in range(50):
        now += buckets.take("ada", now)
    for _ in range(20):
        wait = buckets.take("ada", now)
        if wait:
            assert buckets.take("ada", now + wait) == 0


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=60))
def test_no_clock_gives_more_than_is_allowed(steps: list[float]) -> None:
    buckets, now, latest, forward, allowed = Buckets(10), START, START, 0.0, 0
    for step in steps:
        now += step
        forward += max(0.0, step)
        latest = max(latest, now)
        allowed += buckets.take("ada", now) == 0
    assert allowed <= 10 + forward * 10 / 60 + 1e-6


def test_memory_is_bounded() -> None:
    buckets = Buckets(10, kept=100)
    for number in range(5_000):
        buckets.take(f"person {number}", START)
    assert len(buckets) == 100


def test_zero_is_no_limit() -> None:
    buckets = Buckets(0)
    assert not any(buckets.take("ada", START) for _ in range(10_000))
    assert len(buckets) == 0


def test_wrong_tokens_are_remembered_for_each_caller_up_to_a_number() -> None:
    tried = Tried(kept=2)
    tried.add("ada", "first")
    assert tried.knows("ada", "first")
    assert not tried.knows("bo", "first")
    for name in ("second", "third"):
        tried.add("ada", name)
    assert len(tried) == 2
    assert [tried.knows("ada", name) for name in ("first", "second", "third")] == [False, True, True]
