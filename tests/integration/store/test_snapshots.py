import random
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, update

from store import evaluations, registry, snapshots
from store.database import Database
from store.errors import InvalidInput, NotFound, Unavailable
from store.evaluations import EvalRow
from store.snapshots import Heard
from store.tables import answers, signals
from store.tables import snapshots as table
from store.types import EvalQuery, Pair, PairSource, Snapshot, Split
from tests.integration.store.learning import NOW, open_database

PAIRS = [
    Pair(g, f"q{g}", f"h{n}", float(n % 2), 1.0, PairSource.CHUNK_VOTE, 0.1 * n) for g in range(4) for n in range(5)
]
QUERIES = [EvalQuery(g, f"q{g}", Split.TRAIN, ("h1", "h2"), (0.2, 0.1), (0.0, 1.0), {"h1": 1.0}) for g in range(4)]
HELD = [EvalQuery(9, "ø 最", Split.HELD_OUT, ("h1",), (0.2,), (0.0,), {})]
PARAMS = {"recipe": "default", "seed": 7, "lr": 5e-5}


def make(seed: int = 0) -> Snapshot:
    pairs, queries = list(PAIRS), list(QUERIES)
    random.Random(seed).shuffle(pairs)
    random.Random(seed).shuffle(queries)
    return snapshots.make(pairs, queries, HELD, PARAMS, {"pairs": 20}, NOW)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    with database.write() as tx:
        answer = {"kind": "search", "query": "q", "question": "q", "actor": "a", "answer": "", "citations": []}
        rest = {"generator": "g", "model_version": 0, "timings": {}, "created_at": NOW}
        tx.execute(insert(answers).values(id="a1", **answer, **rest))
        for _ in range(3):
            tx.execute(insert(signals).values(answer_id="a1", actor="a", kind="thumb", value="up", created_at=NOW))
    yield database
    database.dispose()


def test_the_hash_does_not_depend_on_order() -> None:
    assert len({make(seed).hash for seed in range(5)}) == 1
    assert make(1) == make(2)


@pytest.mark.parametrize(
    "changed",
    [
        lambda s: replace(s, pairs=s.pairs[1:]),
        lambda s: replace(s, pairs=(replace(s.pairs[0], weight=0.5), *s.pairs[1:])),
        lambda s: replace(s, held_out=()),
        lambda s: replace(s, train_queries=(*s.train_queries, *HELD)),
        lambda s: replace(s, params={**PARAMS, "seed": 8}),
        lambda s: replace(s, pairs=(replace(s.pairs[0], content_hash="other"), *s.pairs[1:])),
    ],
)
def test_any_change_of_content_changes_the_hash(changed: object) -> None:
    other = changed(make())  # type: ignore[operator]
    assert snapshots.make(other.pairs, other.train_queries, other.held_out, other.params, {}, NOW).hash != make().hash


def test_equal_numbers_have_one_spelling() -> None:
    first = replace(PAIRS[0], label=1.0, dense_score=0.5, weight=0.0)
    same = replace(PAIRS[0], label=1, dense_score=float(np.float32(0.5)), weight=-0.0)
    numpy = replace(PAIRS[0], label=1.0, dense_score=np.float32(0.5), weight=0.0)  # type: ignore[arg-type]
    assert len({snapshots.canonical([pair], [], [], {}) for pair in (first, same, numpy)}) == 1


def test_not_a_number_is_refused() -> None:
    with pytest.raises(InvalidInput):
        snapshots.canonical([replace(PAIRS[0], dense_score=float("nan"))], [], [], {})


def test_saved_once_and_read_back(db: Database) -> None:
    snapshot = make()
    with db.write() as tx:
        assert snapshots.save(tx, snapshot, [1, 2, 2]) == snapshot.hash
    with db.read() as tx:
        assert snapshots.load(tx, snapshot.hash) == snapshot
        assert snapshots.signal_ids(tx, snapshot.hash) == {1, 2}
        assert snapshots.for_signal(tx, [2, 3]) == [snapshot.hash]
        assert snapshots.for_signal(tx, [3]) == []


def test_a_later_build_of_the_same_content_adds_its_signals_and_renews_the_counts(db: Database) -> None:
    """A second vote on a held-out question changes nothing that the hash covers, and was heard all the same."""
    snapshot, other = make(), replace(make(), hash="", pairs=(), created_at=NOW + timedelta(days=1))
    again = replace(snapshot, created_at=NOW + timedelta(days=2), stats={"pairs": 20, "actors": 2})
    with db.write() as tx:
        snapshots.save(tx, snapshot, [1, 2])
        second = snapshots.save(tx, other, [])
        assert snapshots.save(tx, again, [2, 3]) == snapshot.hash
    with db.read() as tx:
        assert snapshots.load(tx, snapshot.hash) == again
        assert snapshots.signal_ids(tx, snapshot.hash) == {1, 2, 3}
        assert snapshots.for_signal(tx, [3]) == [snapshot.hash]
        assert [one.hash for one in snapshots.heads(tx, 5)] == [snapshot.hash, second], "the latest build comes first"


def test_what_was_heard_is_told_by_kind_number_and_day(db: Database) -> None:
    with db.write() as tx:
        vote = {"answer_id": "a1", "actor": "b", "kind": "stars", "value": 5, "created_at": NOW + timedelta(days=3)}
        tx.execute(insert(signals).values(**vote))
        digest = snapshots.save(tx, make(), [2, 3, 4])
        empty = snapshots.save(tx, replace(make(), hash="", pairs=()), [])
        assert snapshots.heard(tx, digest) == Heard(3, {"stars": 1, "thumb": 2}, (2, 4), (NOW, NOW + timedelta(days=3)))
        assert snapshots.heard(tx, empty) == Heard(0, {}, None, None)


def test_a_snapshot_is_found_by_the_beginning_of_its_hash(db: Database) -> None:
    with db.write() as tx:
        digest = snapshots.save(tx, make(), [])
        assert snapshots.find(tx, digest[:8]) == snapshots.find(tx, digest) == digest
        for wrong in (digest[:7], "", digest + "0", digest[:8].upper() + "G", "%" * 8, "_" * 64):
            with pytest.raises(InvalidInput, match="names no snapshot"):
                snapshots.find(tx, wrong)
        with pytest.raises(NotFound):
            snapshots.find(tx, "0" * 8)
        twin = digest[:8] + ("0" if digest[8] != "0" else "1") * 56
        tx.execute(insert(table).values(hash=twin, created_at=NOW, stats={}, params={}, content=b""))
        with pytest.raises(InvalidInput, match="several"):
            snapshots.find(tx, digest[:8])
        assert snapshots.find(tx, digest[:9]) == digest


def test_the_heads_are_listed_newest_first(db: Database) -> None:
    older, newer = make(), replace(make(), hash="", pairs=(), created_at=NOW + timedelta(days=1))
    with db.write() as tx:
        first, second = snapshots.save(tx, older, []), snapshots.save(tx, newer, [])
        assert [one.hash for one in snapshots.heads(tx, 5)] == [second, first]
        assert [one.hash for one in snapshots.heads(tx, 1)] == [second]
        assert (snapshots.head(tx, first).created_at, snapshots.head(tx, first).stats) == (NOW, {"pairs": 20})
        with pytest.raises(NotFound):
            snapshots.head(tx, "0" * 64)


def test_a_wrong_hash_is_refused(db: Database) -> None:
    with db.write() as tx, pytest.raises(InvalidInput, match="hash"):
        snapshots.save(tx, replace(make(), pairs=()), [])


def test_damaged_content_is_noticed(db: Database) -> None:
    snapshot = make()
    with db.write() as tx:
        snapshots.save(tx, snapshot, [])
        with pytest.raises(NotFound):
            snapshots.load(tx, "0" * 64)
        content = tx.execute(table.select()).one().content
        for damaged in (content[:-20], b"", zlib.compress(b"{}")):
            tx.execute(update(table).values(content=damaged))
            with pytest.raises(Unavailable, match="damaged"):
                snapshots.load(tx, snapshot.hash)


def test_evaluations_are_replaced_a_body_of_evidence_at_a_time(db: Database) -> None:
    row = EvalRow("challenger", "held_out", 1, "q", {"ndcg@10": 0.5}, ("h1", "h2"))
    champion = replace(row, arm="champion")
    with db.write() as tx:
        registry.ensure_first_stage(tx, 0.1, NOW)
        golden = replace(row, evidence="golden")
        evaluations.save(tx, 0, [row, replace(row, group_id=2), champion, golden])
        evaluations.save(tx, 0, [replace(row, metrics={"ndcg@10": 0.7})])
        assert evaluations.load(tx, 0, "challenger", "held_out") == [replace(row, metrics={"ndcg@10": 0.7})]
        assert len(evaluations.load(tx, 0, evidence="held_out")) == 1, "the champion's list was another night's"
        assert evaluations.load(tx, 0, evidence="golden") == [golden]
