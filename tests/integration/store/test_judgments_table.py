from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from store import judgments
from store.database import Database
from store.errors import InvalidInput, NotFound
from store.tables import answers, chunks, query_groups, repos, signals, texts
from store.types import Judgment, PairSource
from tests.integration.store.learning import NOW, open_database

FIRST = Judgment(
    "j1", 1, "Read 100% of a file", "h1", None, 1.0, 1.0, True, (PairSource.CHUNK_VOTE,), ("v",), (1, 2), ("a",)
)
SECOND = replace(FIRST, id="j2", content_hash="h2", relevance=0.0, strong=False, signal_ids=(2,), conflict=True)
THIRD = replace(
    FIRST, id="j3", group_id=2, query="sort", sources=(PairSource.THUMB, PairSource.CLICK), signal_ids=(), retired=True
)
ALL = [FIRST, SECOND, THIRD]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    with database.write() as tx:
        answer = {"kind": "search", "query": "q", "question": "q", "actor": "a", "answer": "", "citations": []}
        rest = {"generator": "g", "model_version": 0, "timings": {}, "created_at": NOW}
        tx.execute(insert(answers).values(id="a1", **answer, **rest))
        for number in (1, 2):
            tx.execute(insert(query_groups).values(id=number, split="train", created_at=NOW))
            tx.execute(insert(texts).values(content_hash=f"h{number}", text="x"))
            tx.execute(insert(signals).values(answer_id="a1", actor="a", kind="thumb", value="up", created_at=NOW))
        judgments.replace_all(tx, ALL)
    yield database
    database.dispose()


def override(db: Database, action: str, relevance: float | None = None, judgment: str = "j1") -> None:
    with db.write() as tx:
        judgments.override(tx, judgment, action, relevance, "ada", "because", NOW)


def test_written_whole_and_read_back(db: Database) -> None:
    with db.write() as tx:
        assert judgments.all_of(tx) == ALL
        judgments.replace_all(tx, [SECOND])
        judgments.replace_all(tx, [SECOND])
        assert judgments.all_of(tx) == [SECOND]
        judgments.replace_all(tx, [])
        assert judgments.all_of(tx) == []


def test_only_what_differs_is_written(db: Database) -> None:
    def rows_written(wanted: list[Judgment]) -> int:
        with db.write() as tx:
            before = tx.exec_driver_sql("select total_changes()").scalar_one()
            judgments.replace_all(tx, wanted)
            written = tx.exec_driver_sql("select total_changes()").scalar_one() - before
            assert judgments.all_of(tx) == wanted
            return int(written)

    assert rows_written(ALL) == 0
    more = replace(SECOND, signal_ids=(1, 2))
    assert rows_written([FIRST, more, THIRD]) == 1, "a link"
    less = replace(FIRST, signal_ids=(1,))
    assert rows_written([less, more, THIRD]) == 1, "a link"
    other = replace(THIRD, relevance=0.5, reasons=("v", "w"))
    assert rows_written([less, more, other]) == 2, "one row out, one in"
    moved = replace(more, weight=0.5)
    assert rows_written([less, moved, other]) <= 6, "its links go with it and come back"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["j1", "j2", "j3"]),
        ({"search": "FILE"}, ["j1", "j2"]),
        ({"search": "100%"}, ["j1", "j2"]),
        ({"search": "%sort"}, []),
        ({"group_id": 2}, ["j3"]),
        ({"source": PairSource.CLICK}, ["j3"]),
        ({"strong": False}, ["j2"]),
        ({"conflict": True}, ["j2"]),
        ({"retired": False}, ["j1", "j2"]),
        ({"vetoed": True}, []),
        ({"vetoed": False, "strong": True}, ["j1", "j3"]),
    ],
)
def test_filters(db: Database, filters: dict[str, object], expected: list[str]) -> None:
    with db.read() as tx:
        page, total = judgments.list_page(tx, **filters)  # type: ignore[arg-type]
    assert [judgment.id for judgment in page] == expected
    assert total == len(expected)


def test_a_repository_is_where_the_chunk_is_and_an_actor_is_a_whole_name(db: Database) -> None:
    with db.write() as tx:
        for number, name in enumerate(("shop", "shopkeeper"), 1):
            tx.execute(insert(repos).values(id=number, name=name, path="/", created_at=NOW))
            place = {"path": "p", "start_line": 1, "end_line": 1, "symbol": "s", "language": "python"}
            tx.execute(insert(chunks).values(id=number, repo_id=number, content_hash=f"h{number}", **place))
        judgments.replace_all(
            tx,
            [
                replace(FIRST, chunk_id=1, actors=("ann", 'o"h\u00e9')),
                replace(SECOND, chunk_id=2, actors=("joann",)),
                replace(THIRD, actors=()),
            ],
        )
    with db.read() as tx:
        assert judgments.ids(tx, repo="shop") == ["j1"]
        assert judgments.ids(tx, repo="shopkeeper", actor="joann") == ["j2"]
        assert judgments.ids(tx, actor="ann") == ["j1"], "not joann"
        assert judgments.ids(tx, actor='o"h\u00e9') == ["j1"]
        assert judgments.ids(tx, actor="an%") == []
        assert judgments.list_page(tx, actor="ann")[1] == 1
        assert judgments.actors(tx) == [("ann", 1), ("joann", 1), ('o"h\u00e9', 1)]
        assert judgments.actors(tx, 1) == [("ann", 1)]


def test_ids_come_in_the_order_of_the_list_and_are_read_back_in_it(db: Database) -> None:
    with db.read() as tx:
        listed = [one.id for one in judgments.list_page(tx)[0]]
        assert judgments.ids(tx) == listed
        assert judgments.of_ids(tx, ["j3", "gone", "j1"]) == [THIRD, FIRST]


def test_pages(db: Database) -> None:
    with db.read() as tx:
        page, total = judgments.list_page(tx, limit=1, offset=1)
    assert ([judgment.id for judgment in page], total) == (["j2"], 3)


def test_judgments_of_signals(db: Database) -> None:
    with db.read() as tx:
        assert judgments.by_signals(tx, [1]) == [FIRST]
        assert judgments.by_signals(tx, [2, 1]) == [FIRST, SECOND]
        assert judgments.by_signals(tx, []) == []


def test_a_veto_shows_at_once_and_outlives_the_next_policy_run(db: Database) -> None:
    override(db, "veto")
    with db.write() as tx:
        assert judgments.get(tx, "j1").vetoed
        judgments.replace_all(tx, ALL)
        assert judgments.list_page(tx, vetoed=True) == ([replace(FIRST, vetoed=True)], 1)
        assert judgments.overrides(tx)["j1"].action == "veto"


def test_the_latest_override_is_in_force(db: Database) -> None:
    override(db, "veto")
    override(db, "edit", 0.25)
    with db.read() as tx:
        assert judgments.get(tx, "j1") == replace(FIRST, relevance=0.25)
    override(db, "restore")
    with db.read() as tx:
        assert judgments.get(tx, "j1") == FIRST
        assert judgments.overrides(tx) == {}


@pytest.mark.parametrize(
    ("action", "relevance"),
    [("edit", None), ("edit", 1.5), ("edit", float("nan")), ("veto", 0.5), ("delete", None)],
)
def test_senseless_overrides_are_refused(db: Database, action: str, relevance: float | None) -> None:
    with pytest.raises(InvalidInput):
        override(db, action, relevance)


def test_unknown_judgment(db: Database) -> None:
    with pytest.raises(NotFound):
        override(db, "veto", judgment="nope")
