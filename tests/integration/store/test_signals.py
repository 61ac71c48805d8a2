from __future__ import annotations

import os
import signal as os_signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from store import chunks, signals
from store.database import Database
from store.errors import InvalidInput, NotFound
from store.tables import signals as table
from store.types import SignalKind
from tests.integration.store.code import NOW, add_answer, add_chunks, draft

THUMB, STARS, VOTE, CORRECTION = SignalKind.THUMB, SignalKind.STARS, SignalKind.CHUNK_VOTE, SignalKind.CORRECTION


@pytest.fixture
def tx(db: Database) -> Iterator[Connection]:
    """A write transaction with answers a1 and a2 over the chunks 1, 2 and 3; chunk 4 was no candidate."""
    with db.write() as tx:
        found = add_chunks(tx, 4)
        assert [chunk.id for chunk in found] == [1, 2, 3, 4]
        add_answer(tx, "a1", found[:3])
        add_answer(tx, "a2", found[:3])
        yield tx


def rows(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(table)).scalar_one()


def held(tx: Connection, answer_id: str = "a1", actor: str = "ada") -> dict[str, Any]:
    return {str(signal.kind): signal.value for signal in signals.in_force(tx, answer_id, actor)}


def rate(tx: Connection, actor: str = "ada", **changes: Any) -> bool:
    return signals.put_rating(tx, "a1", actor, changes, NOW)


def test_the_latest_of_a_target_is_in_force(tx: Connection) -> None:
    assert signals.put(tx, "a1", "ada", THUMB, None, "up", NOW)
    assert signals.put(tx, "a1", "ada", THUMB, None, "down", NOW + timedelta(seconds=1), "gui")
    assert signals.put(tx, "a1", "bob", THUMB, None, "up", NOW)
    assert signals.put(tx, "a2", "ada", THUMB, None, "up", NOW)
    found = signals.in_force(tx)
    assert [(s.answer_id, s.actor, s.value) for s in found] == [
        ("a1", "ada", "down"),
        ("a1", "bob", "up"),
        ("a2", "ada", "up"),
    ]
    assert found[0].created_at == NOW + timedelta(seconds=1)
    assert len(signals.in_force(tx, "a1")) == 2
    assert len(signals.in_force(tx, actor="ada")) == 2
    assert rows(tx) == 4, "history is kept"


def test_the_same_again_is_no_new_signal(tx: Connection) -> None:
    for kind, chunk, value in (
        (THUMB, None, "up"),
        (VOTE, 2, False),
        (CORRECTION, 4, True),
        (SignalKind.CLICK, 1, True),
    ):
        assert signals.put(tx, "a1", "ada", kind, chunk, value, NOW)
        assert not signals.put(tx, "a1", "ada", kind, chunk, value, NOW + timedelta(days=1))
    assert rows(tx) == 4


def test_a_retraction_removes_and_can_be_taken_back(tx: Connection) -> None:
    assert not signals.put(tx, "a1", "ada", VOTE, 2, None, NOW), "nothing to retract"
    assert signals.put(tx, "a1", "ada", VOTE, 2, True, NOW)
    assert signals.put(tx, "a1", "ada", VOTE, 2, None, NOW)
    assert signals.in_force(tx) == []
    assert not signals.put(tx, "a1", "ada", VOTE, 2, None, NOW)
    assert signals.put(tx, "a1", "ada", VOTE, 2, True, NOW)
    assert len(signals.in_force(tx)) == 1


def test_votes_and_events_are_kept_for_each_chunk(tx: Connection) -> None:
    for chunk in (1, 2, 3):
        for kind in (VOTE, *sorted(signals.EVENTS)):
            assert signals.put(tx, "a1", "ada", kind, chunk, True, NOW)
    counted = signals.count(tx)
    assert {kind: n for kind, n in counted.items() if n} == {"chunk_vote": 3, "click": 3, "copy": 3, "open": 3}
    assert set(counted) == set(SignalKind)


def test_an_actor_has_one_correction_an_answer(tx: Connection) -> None:
    assert signals.put(tx, "a1", "ada", CORRECTION, 4, True, NOW), "it may name a chunk that was no candidate"
    assert signals.put(tx, "a1", "ada", CORRECTION, 2, True, NOW)
    assert [s.chunk_id for s in signals.in_force(tx)] == [2]
    assert signals.put(tx, "a1", "bob", CORRECTION, 4, True, NOW)
    assert signals.put(tx, "a1", "ada", CORRECTION, None, None, NOW)
    assert [(s.actor, s.chunk_id) for s in signals.in_force(tx)] == [("bob", 4)]


def test_what_is_unknown_is_not_found(tx: Connection) -> None:
    for answer_id, kind, chunk in (
        ("no", THUMB, None),
        ("a1", VOTE, 99),
        ("a1", CORRECTION, 99),
        ("a1", VOTE, 4),
        ("a1", SignalKind.CLICK, 4),
    ):
        with pytest.raises(NotFound):
            signals.put(tx, answer_id, "ada", kind, chunk, "up" if kind is THUMB else True, NOW)
    with pytest.raises(NotFound):
        signals.put_rating(tx, "no", "ada", {"thumb": "up"}, NOW)
    with pytest.raises(NotFound):
        signals.put_rating(tx, "no", "ada", {}, NOW)
    assert rows(tx) == 0


@pytest.mark.parametrize(
    ("kind", "chunk", "value"),
    [
        (THUMB, None, "sideways"),
        (THUMB, None, True),
        (THUMB, 1, "up"),
        (STARS, None, 0),
        (STARS, None, 6),
        (STARS, None, True),
        (STARS, None, 4.0),
        (STARS, None, "5"),
        (VOTE, 1, "yes"),
        (VOTE, 1, 1),
        (VOTE, None, True),
        (CORRECTION, None, True),
        (SignalKind.NOTE, None, 7),
        (SignalKind.NOTE, None, "a\x00b"),
        (SignalKind.NOTE, None, "\ud800"),
        (SignalKind.NOTE, None, "x" * (signals.NOTE_CHARACTERS + 1)),
        (SignalKind.REASONS, None, "wrong"),
        (SignalKind.REASONS, None, [1]),
        (SignalKind.REASONS, None, ["\ud800"]),
        (SignalKind.REASONS, None, ["x"] * (signals.REASONS + 1)),
        (SignalKind.CLICK, None, True),
    ],
)
def test_nonsense_is_refused(tx: Connection, kind: SignalKind, chunk: int | None, value: object) -> None:
    with pytest.raises(InvalidInput):
        signals.put(tx, "a1", "ada", kind, chunk, value, NOW)
    assert rows(tx) == 0


def test_a_signal_about_retired_code_still_counts(tx: Connection) -> None:
    chunks.replace_file(tx, "shop", "basket.py", [draft("basket.py", 1, "new", "def new(): ...")], NOW)
    assert signals.put(tx, "a1", "ada", VOTE, 2, True, NOW)


def test_an_absent_field_stays_and_null_retracts(tx: Connection) -> None:
    assert rate(tx, thumb="up", stars=5, note=" good ", reasons=["clear", "clear", " "])
    assert held(tx) == {"thumb": "up", "stars": 5, "note": "good", "reasons": ["clear"]}
    assert rate(tx, stars=4)
    assert rate(tx, note=None)
    assert held(tx) == {"thumb": "up", "stars": 4, "reasons": ["clear"]}
    assert not rate(tx, stars=4, thumb="up")
    assert not rate(tx)
    assert rate(tx, thumb=None, stars=None, reasons=None)
    assert held(tx) == {}


def test_a_flip_clears_stars_and_reasons_but_not_the_note(tx: Connection) -> None:
    rate(tx, thumb="up", stars=5, reasons=["clear"], note="good")
    assert rate(tx, thumb="down")
    assert held(tx) == {"thumb": "down", "note": "good"}


def test_a_flip_keeps_what_the_same_body_sets(tx: Connection) -> None:
    rate(tx, thumb="up", stars=5, reasons=["clear"])
    assert rate(tx, thumb="down", stars=2)
    assert held(tx) == {"thumb": "down", "stars": 2}


def test_a_thumb_against_lone_stars_clears_them(tx: Connection) -> None:
    rate(tx, stars=5)
    assert rate(tx, thumb="down")
    assert held(tx) == {"thumb": "down"}


def test_the_same_thumb_again_clears_nothing(tx: Connection) -> None:
    rate(tx, thumb="up", stars=4)
    assert not rate(tx, thumb="up")
    assert held(tx) == {"thumb": "up", "stars": 4}


@pytest.mark.parametrize(("thumb", "stars"), [("up", 1), ("up", 2), ("down", 4), ("down", 5)])
def test_a_contradiction_is_refused_and_changes_nothing(tx: Connection, thumb: str, stars: int) -> None:
    with pytest.raises(InvalidInput, match="contradict"):
        rate(tx, thumb=thumb, stars=stars)
    rate(tx, thumb=thumb)
    with pytest.raises(InvalidInput, match="contradict"):
        rate(tx, stars=stars)
    assert held(tx) == {"thumb": thumb}


@pytest.mark.parametrize(("thumb", "stars"), [("up", 3), ("up", 5), ("down", 3), ("down", 1)])
def test_three_stars_fit_either_thumb(tx: Connection, thumb: str, stars: int) -> None:
    assert rate(tx, thumb=thumb, stars=stars)
    assert held(tx) == {"thumb": thumb, "stars": stars}


def test_one_person_s_rating_is_not_another_s(tx: Connection) -> None:
    rate(tx, "ada", thumb="up", stars=5)
    rate(tx, "bob", thumb="down")
    assert held(tx, actor="ada") == {"thumb": "up", "stars": 5}
    assert held(tx, actor="bob") == {"thumb": "down"}


def test_an_unknown_field_is_refused_by_name(tx: Connection) -> None:
    with pytest.raises(InvalidInput, match="unknown fields score"):
        rate(tx, score=5)


RATINGS = st.fixed_dictionaries(
    {},
    optional={
        "thumb": st.sampled_from(["up", "down", None]),
        "stars": st.sampled_from([1, 2, 3, 4, 5, None]),
        "reasons": st.sampled_from([["a"], ["a", "b"], [], None]),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(bodies=st.lists(RATINGS, max_size=6))
def test_no_history_of_ratings_ever_holds_a_contradiction(tx: Connection, bodies: list[dict[str, Any]]) -> None:
    for body in bodies:
        before = held(tx)
        try:
            changed = rate(tx, **body)
        except InvalidInput:
            assert held(tx) == before
            continue
        after = held(tx)
        assert changed == (after != before)
        assert not rate(tx, **body), "a rating is idempotent"
        assert not (after.get("thumb") == "up" and after.get("stars", 3) < 3)
        assert not (after.get("thumb") == "down" and after.get("stars", 3) > 3)
        for field, value in body.items():
            assert after.get(field) == (value or None)


ACKNOWLEDGE = """
import itertools, sys
from datetime import UTC, datetime
from store import signals
from store.database import Database
from store.types import SignalKind
db = Database.open(sys.argv[1])
for n in itertools.count():
    with db.write() as tx:
        signals.put(tx, "a1", f"actor-{n}", SignalKind.THUMB, None, "up", datetime.now(UTC))
    print(n, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 7, 25])
def test_kill_9_loses_no_acknowledged_signal(db: Database, acknowledged: int) -> None:
    with db.write() as tx:
        add_answer(tx, "a1", add_chunks(tx, 3))
    db.dispose()
    writer = subprocess.Popen([sys.executable, "-c", ACKNOWLEDGE, db.url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    with writer:
        for _ in range(acknowledged):
            last = int(writer.stdout.readline())
        os.kill(writer.pid, os_signal.SIGKILL)
        rest = [int(line) for line in writer.stdout.read().splitlines()]
    last = rest[-1] if rest else last
    assert writer.returncode == -os_signal.SIGKILL
    with db.write() as tx:
        kept = {signal.actor for signal in signals.in_force(tx, "a1")}
        assert {f"actor-{n}" for n in range(last + 1)} <= kept
        assert len(kept) <= last + 2, "at most the one in flight is there beside"
        assert signals.put(tx, "a1", "after", THUMB, None, "up", NOW)
