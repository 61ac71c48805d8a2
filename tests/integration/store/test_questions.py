"""Query groups, golden and general questions, imported pairs."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from store import general, golden, imports, marks, meta, queries, repos, texts
from store.database import Connection, Database
from store.errors import InvalidInput, NotFound
from store.types import Split, Vector
from tests.integration.store.code import NOW, add_chunks


def vector(*values: float) -> Vector:
    made = np.array(values, dtype=np.float32)
    return made / np.float32(np.linalg.norm(made))


def test_a_query_begins_a_group_that_paraphrases_join(db: Database) -> None:
    with db.write() as tx:
        group = queries.add(tx, "Where is it?", vector(3, 4), None, Split.HELD_OUT, NOW)
        joined = queries.add(tx, "Find it", vector(1, 0), group.id, Split.TRAIN, NOW, bridged=True)
        other = queries.add(tx, "Something else", vector(0, 1), None, Split.TRAIN, NOW)
        assert joined == group
        assert group.split is Split.HELD_OUT, "an existing group keeps its split"
        assert queries.groups(tx) == {group.id: group, other.id: other}
        assert queries.group_of(tx) == {
            "where is it": (group.id, Split.HELD_OUT, False),
            "find it": (group.id, Split.HELD_OUT, True),
            "something else": (other.id, Split.TRAIN, False),
        }
        first = queries.known(tx)[0]
        assert (first.query, first.group_id, first.split, first.bridged) == (
            "Where is it?",
            group.id,
            Split.HELD_OUT,
            False,
        )
        assert first.vector == pytest.approx([0.6, 0.8], abs=2**-11)


def test_a_known_query_keeps_its_group_for_ever(db: Database) -> None:
    with db.write() as tx:
        group = queries.add(tx, "Where is it?", vector(1, 0), None, Split.HELD_OUT, NOW)
        other = queries.add(tx, "Something else", vector(0, 1), None, Split.TRAIN, NOW)
        assert queries.add(tx, " where IS it ", vector(0, 1), None, Split.TRAIN, NOW) == group
        assert queries.add(tx, "where is it", vector(0, 1), other.id, Split.TRAIN, NOW) == group
        assert len(queries.known(tx)) == len(queries.groups(tx)) == 2


def test_a_bridged_query_is_marked(db: Database) -> None:
    with db.write() as tx:
        queries.add(tx, "one", vector(1, 0), None, Split.TRAIN, NOW)
        queries.add(tx, "two", vector(1, 0), None, Split.TRAIN, NOW)
        queries.mark_bridged(tx, queries.known(tx)[1].id)
        assert [query.bridged for query in queries.known(tx)] == [False, True]
        with pytest.raises(NotFound):
            queries.mark_bridged(tx, 99)
        with pytest.raises(NotFound):
            queries.add(tx, "three", vector(1, 0), 99, Split.TRAIN, NOW)
        with pytest.raises(InvalidInput):
            queries.add(tx, "\x00", vector(1, 0), None, Split.TRAIN, NOW)


def test_a_golden_question_names_its_places(db: Database) -> None:
    with db.write() as tx:
        one = golden.add(tx, "Where is it?", "shop", ["a.py", 7, "a.py"], NOW)
        assert one.expected == ("a.py", 7)
        two = golden.add(tx, "Where is it?", None, ["b.py"], NOW)
        assert golden.list_all(tx) == [one, two]
        again = golden.add(tx, "Where is it?", "shop", ["c.py"], NOW)
        assert golden.list_all(tx) == [two, again], "the same question again replaces what is expected"
        golden.remove(tx, two.id)
        assert golden.list_all(tx) == [again]
        with pytest.raises(NotFound):
            golden.remove(tx, two.id)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a"]),
        (" ", ["a"]),
        ("q\x00", ["a"]),
        ("q", []),
        ("q", [""]),
        ("q", ["\ud800"]),
        ("q", [True]),
        ("q", [1.5]),
    ],
)
def test_a_golden_question_that_says_nothing_is_refused(db: Database, query: str, expected: list[str | int]) -> None:
    with db.write() as tx, pytest.raises(InvalidInput):
        golden.add(tx, query, None, expected, NOW)


def every(tx: Connection) -> list[general.Row]:
    return [*general.guards(tx, 99), *general.for_training(tx, 99)]


def test_docstring_questions_are_replaced_by_repository(db: Database) -> None:
    with db.write() as tx:
        shop, bank = add_chunks(tx, 3), add_chunks(tx, 1, "bank")
        general.replace_for_repo(tx, "shop", [(f"what does {c.symbol} do", c.path, c.content_hash) for c in shop])
        general.replace_for_repo(tx, "bank", [("what is a bank", bank[0].path, bank[0].content_hash)])
        assert {(repo, digest) for _, _, repo, digest in every(tx)} == {
            *(("shop", chunk.content_hash) for chunk in shop),
            ("bank", bank[0].content_hash),
        }
        general.replace_for_repo(tx, "shop", [])
        assert [row[1:] for row in every(tx)] == [("what is a bank", "bank", bank[0].content_hash)]
        repos.remove(tx, "bank", NOW)
        assert every(tx) == []
        with pytest.raises(NotFound):
            general.replace_for_repo(tx, "bank", [])


def test_a_file_gives_the_general_set_or_training_its_questions_never_both(db: Database) -> None:
    with db.write() as tx:
        (chunk,) = add_chunks(tx, 1)
        paths = [f"src/{number}.py" for number in range(120)]
        asked = [(f"{path} {number}", path, chunk.content_hash) for path in paths for number in range(2)]
        general.replace_for_repo(tx, "shop", asked)
        sides = [
            {query.split()[0] for _, query, _, _ in rows}
            for rows in (general.guards(tx, 999), general.for_training(tx, 999))
        ]
        assert sides[0] | sides[1] == set(paths)
        assert not sides[0] & sides[1]
        assert 25 <= len(sides[0]) <= 60
        assert general.guards(tx, 3) == general.guards(tx, 999)[:3]
        assert general.for_training(tx, 3) == general.for_training(tx, 999)[:3]
        few = [row for row in asked if row[1] in paths[:20]]
        general.replace_for_repo(tx, "shop", few)
        assert len(general.guards(tx, 999)) == 40, "below its least number the guard has them all"
        assert general.for_training(tx, 999) == []


def test_pairs_are_imported_once_a_batch(db: Database) -> None:
    rows = [("q1", "passage", 1.0), ("q2", "passage", 0.0), ("q1", "other", 0.5)]
    with db.write() as tx:
        assert imports.add_pairs(tx, "b1", rows, NOW) == 3
        assert imports.add_pairs(tx, "b1", rows, NOW) == 0
        assert imports.add_pairs(tx, "b2", rows[:1], NOW) == 1
        assert imports.add_pairs(tx, "b3", [], NOW) == 0
        assert imports.batches(tx) == {"b1": 3, "b2": 1}
        expected = [(query, texts.content_hash(passage), label) for query, passage, label in rows]
        assert list(imports.pairs(tx, "b1")) == expected
        assert list(imports.pairs(tx, None)) == [*expected, expected[0]]
        assert texts.get(tx, [expected[0][1]]) == {expected[0][1]: "passage"}


@pytest.mark.parametrize(
    "row", [("q", "p", 1.1), ("q", "p", -0.1), ("q", "p", math.nan), ("\x00", "p", 1.0), ("q", "\ud800", 1.0)]
)
def test_a_wrong_row_is_named_and_nothing_imported(db: Database, row: tuple[str, str, float]) -> None:
    with db.write() as tx:
        with pytest.raises(InvalidInput, match="row 2"):
            imports.add_pairs(tx, "b1", [("q", "p", 1.0), row], NOW)
        assert imports.batches(tx) == {}


def test_meta_keeps_any_json(db: Database) -> None:
    values = [0, 1.5, "x", None, [1, {"a": None}], True]
    with db.write() as tx:
        for value in values:
            meta.put(tx, "key", value)
            assert meta.get(tx, "key") == value
        assert meta.get(tx, "other") is None


def test_a_golden_question_that_takes_a_removed_ones_number_is_noticed(db: Database) -> None:
    with db.write() as tx:
        first = golden.add(tx, "Where is it?", None, ["a.py"], NOW)
        before = marks.judging(tx)
        golden.remove(tx, first.id)
        second = golden.add(tx, "Where is another?", None, ["b.py"], NOW + timedelta(seconds=1))
        assert second.id == first.id
        assert marks.judging(tx) != before
