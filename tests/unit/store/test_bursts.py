"""Which acts are a burst, and what decisions make of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from store.bursts import Act, Burst, Decision, Fate, Limit, bursts, silenced

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = Limit(signals=5, minutes=10)


def acts(*minutes: float, account: str = "ann", first: int = 1) -> list[Act]:
    return [Act(first + n, account, NOW + timedelta(minutes=at)) for n, at in enumerate(minutes)]


def decided(first: int, last: int, fate: Fate, number: int = 1, account: str = "ann") -> Decision:
    return Decision(number, account, first, last, fate, "admin", "", NOW)


def ids(found: list[Burst]) -> list[tuple[tuple[int, ...], Fate]]:
    return [(burst.signal_ids, burst.fate) for burst in found]


def test_as_many_as_allowed_are_none_and_one_more_is() -> None:
    assert bursts(acts(0, 1, 2, 3, 4), [], LIMIT) == []
    (burst,) = bursts(acts(0, 1, 2, 3, 4, 5), [], LIMIT)
    assert burst.signal_ids == (1, 2, 3, 4, 5, 6)
    assert (burst.counted, burst.fate) == (6, Fate.HELD)
    assert burst.ended - burst.began == timedelta(minutes=5)


def test_the_window_includes_its_end_and_moves() -> None:
    assert len(bursts(acts(0, 2, 4, 6, 8, 10), [], LIMIT)) == 1
    assert bursts(acts(0, 2, 4, 6, 8, 10.01), [], LIMIT) == []
    steady = acts(*(2.0 * n for n in range(40)))
    assert len(bursts(steady, [], LIMIT)[0].signal_ids) == 40, "every window is too full, so it is one burst"


def test_what_comes_before_and_after_is_left_alone() -> None:
    found = bursts(acts(-100, 0, 1, 2, 3, 4, 5, 100), [], LIMIT)
    assert ids(found) == [((2, 3, 4, 5, 6, 7), Fate.HELD)]


def test_accounts_are_told_apart_and_zero_switches_it_off() -> None:
    both = acts(0, 1, 2) + acts(0, 1, 2, account="bob", first=4)
    assert bursts(both, [], LIMIT) == []
    assert bursts(acts(*range(6)), [], Limit(0, 10)) == []


def test_notes_are_held_with_the_rest_but_not_counted() -> None:
    notes = [Act(100 + n, "ann", NOW + timedelta(minutes=1), counted=False) for n in range(50)]
    assert bursts(acts(0, 1, 2, 3, 4) + notes, [], LIMIT) == []
    (burst,) = bursts(acts(0, 1, 2, 3, 4, 5) + notes, [], LIMIT)
    assert (len(burst.signal_ids), burst.counted) == (56, 6)


def test_a_decision_is_about_its_signals_and_the_latest_is_in_force() -> None:
    many = acts(*(n / 10 for n in range(8)))
    released = decided(1, 6, Fate.RELEASED)
    parts = bursts(many, [released], LIMIT)
    assert sorted(ids(parts)) == [((1, 2, 3, 4, 5, 6), Fate.RELEASED), ((7, 8), Fate.HELD)]
    assert silenced(parts) == {7, 8}
    later = decided(1, 8, Fate.LEFT_OUT, number=2)
    assert silenced(bursts(many, [released, later], LIMIT)) == set(range(1, 9))
    assert silenced(bursts(many, [decided(1, 8, Fate.RELEASED, account="bob")], LIMIT)) == set(range(1, 9))


@given(st.lists(st.floats(0, 60), max_size=40), st.integers(1, 8))
def test_it_agrees_with_counting_every_window(minutes: list[float], most: int) -> None:
    said = acts(*minutes)
    window = timedelta(minutes=10)
    wanted = set()
    for one in said:
        inside = [act.id for act in said if one.created_at - window <= act.created_at <= one.created_at]
        if len(inside) > most:
            wanted.update(inside)
    assert silenced(bursts(said, [], Limit(most, 10))) == wanted
