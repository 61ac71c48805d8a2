"""The figures of bench/speed: paired ratios, and what is written of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.speed import report
from bench.speed.timing import Pair, Row, alone, either_first, in_turn, row


def clock_of(*moments: float) -> Iterator[float]:
    return iter(moments)


def test_each_of_ours_has_a_plain_call_of_its_own_right_before_it() -> None:
    calls: list[str] = []

    def call(name: str) -> str:
        calls.append(name)
        return name

    ticks = clock_of(0, 4, 4, 6, 6, 12, 12, 13)
    found = in_turn(lambda: call("plain"), {"a": lambda: call("a"), "b": lambda: call("b")}, clock=lambda: next(ticks))
    assert calls == ["plain", "a", "plain", "b"]
    assert found["a"] == (Pair(4, 2), "plain", "a")
    assert found["b"] == (Pair(6, 1), "plain", "b")


def test_which_goes_first_alternates_and_times_stay_with_their_call() -> None:
    calls: list[str] = []

    def call(name: str) -> str:
        calls.append(name)
        return name

    ticks = clock_of(0, 4, 4, 6, 6, 7, 7, 12)
    found = [
        either_first(number, lambda: call("plain"), lambda: call("ours"), clock=lambda: next(ticks))
        for number in (0, 1)
    ]
    assert calls == ["plain", "ours", "ours", "plain"]
    assert found == [(Pair(4, 2), "plain", "ours"), (Pair(5, 1), "plain", "ours")]


def test_the_ratio_is_the_median_of_ratios_and_not_of_times() -> None:
    pairs = [Pair(2, 1), Pair(30, 10), Pair(4, 1)]
    one = row("rerank", "x", pairs, kendall_tau=0.99)
    assert one.ratio == 3  # of 2, 3 and 4; the medians of the times would say 4 / 1
    assert (one.plain_s, one.ours_s, one.pairs) == (4, 1, 3)
    assert one.quartiles == (2.5, 3.5)
    with pytest.raises(ValueError, match="nothing was timed"):
        row("rerank", "x", [])


def test_the_page_keeps_its_words_and_every_part(tmp_path: Path) -> None:
    page, results = tmp_path / "speed.md", tmp_path / "results"
    page.write_text(f"# Speed\n\nBefore.\n\n{report.BEGIN}\nold\n{report.END}\n\nAfter.\n")
    report.save([row("rerank", "fifty", [Pair(3, 1)], tau=0.98765)], results, {"processors": 2})
    report.save([alone("swap", "promote", [0.5])], results, {"processors": 2})
    report.write_page(results, page)
    text = page.read_text()
    assert text.startswith("# Speed\n\nBefore.\n")
    assert text.endswith("After.\n")
    assert "old" not in text
    assert "| fifty | 3000 ms | 1000 ms | 3.00× | 3.00–3.00 | 1 | tau 0.9877 |" in text
    assert "| promote | – | 500 ms | – | – | 1 |  |" in text


def test_what_is_saved_can_be_shown_again(tmp_path: Path) -> None:
    one = row("rerank", "fifty", [Pair(3, 1)], tau=0.5)
    report.save([one], tmp_path, {})
    loaded = Row(**json.loads((tmp_path / "rerank.json").read_text())["rows"][0])
    assert report.cells(loaded) == report.cells(one)
