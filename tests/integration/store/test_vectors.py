from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from store.errors import Unavailable
from store.exact import BLOCK, ExactIndex
from store.qdrant import QdrantStore
from store.types import Vector
from store.vectors import VectorIndex

DIMENSION = 8


def unit_rows(count: int, seed: int = 0) -> Vector:
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    stack: Vector = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return stack


@pytest.fixture(params=["memory", "qdrant"])
def index(request: pytest.FixtureRequest) -> Iterator[VectorIndex]:
    """Both kinds; for a Qdrant server stands the client's own local mode, which speaks the same calls."""
    if request.param == "memory":
        made = VectorIndex.open(None, None, DIMENSION)
    else:
        made = VectorIndex(QdrantStore(QdrantClient(location=":memory:"), "local", DIMENSION), DIMENSION)
    yield made
    made.close()


def test_nearest_come_first_with_their_cosine(index: VectorIndex) -> None:
    rows = unit_rows(50)
    index.upsert([(n, "shop", rows[n]) for n in range(50)])
    cosines = rows @ rows[7]
    expected = sorted(range(50), key=lambda n: -cosines[n])[:10]
    found = index.search(rows[7] * 3, None, 10)
    assert [id_ for id_, _ in found] == expected
    assert [score for _, score in found] == pytest.approx(cosines[expected], abs=1e-5)


def test_a_search_of_one_repository_sees_no_other(index: VectorIndex) -> None:
    rows = unit_rows(20)
    index.upsert([(n, "shop" if n % 2 else "bank", rows[n]) for n in range(20)])
    for repo, rest in (("shop", 1), ("bank", 0)):
        found = index.search(rows[3], repo, 20)
        assert sorted(id_ for id_, _ in found) == [n for n in range(20) if n % 2 == rest]
    assert index.search(rows[3], None, 20)[0][0] == 3
    assert len(index.search(rows[3], None, 20)) == 20
    assert index.search(rows[3], "nobody", 5) == []


def test_an_empty_index_finds_nothing(index: VectorIndex) -> None:
    assert index.search(unit_rows(1)[0], None, 5) == []
    assert index.count() == 0
    index.remove([1, 2])
    index.upsert([])
    index.rebuild([])


def test_points_are_replaced_and_removed(index: VectorIndex) -> None:
    rows = unit_rows(3)
    index.upsert([(1, "shop", rows[0]), (2, "bank", rows[1])])
    index.upsert([(1, "shop", rows[2])])
    assert index.count() == 2
    assert dict(index.search(rows[2], "shop", 1)) == pytest.approx({1: 1.0}, abs=1e-5)
    index.remove([2, 99])
    assert index.count() == 1
    assert index.search(rows[1], "bank", 5) == []


def test_ties_come_in_the_order_of_ids(index: VectorIndex) -> None:
    same = unit_rows(1)[0]
    index.upsert([(n, repo, same) for n, repo in ((9, "a"), (4, "b"), (7, "a"), (2, "b"))])
    assert [id_ for id_, _ in index.search(same, None, 4)] == [2, 4, 7, 9]


def test_a_rebuild_leaves_exactly_what_it_was_given(index: VectorIndex) -> None:
    rows = unit_rows(30)
    index.upsert([(n, "old", rows[n]) for n in range(10)])
    index.rebuild([[(n, "shop", rows[n]) for n in range(start, start + 10)] for start in (10, 20)])
    assert index.count() == 20
    assert {id_ for id_, _ in index.search(rows[0], None, 30)} == set(range(10, 30))
    assert index.search(rows[0], "old", 5) == []


def test_a_rebuild_in_memory_that_fails_leaves_the_old_index() -> None:
    index, rows = VectorIndex.open(None, None, DIMENSION), unit_rows(2)
    index.upsert([(1, "shop", rows[0])])

    def pages() -> Iterator[list[tuple[int, str, Vector]]]:
        yield [(2, "shop", rows[1])]
        raise KeyError

    with pytest.raises(KeyError):
        index.rebuild(pages())
    assert [id_ for id_, _ in index.search(rows[0], None, 5)] == [1]


def test_a_large_repository_is_searched_across_its_blocks() -> None:
    index, rows = VectorIndex.open(None, None, DIMENSION), unit_rows(BLOCK + 4000)
    index.upsert([(n, "shop", row) for n, row in enumerate(rows)])
    assert index.count() == len(rows)
    for place in (0, BLOCK - 1, BLOCK, len(rows) - 1):
        assert index.search(rows[place], "shop", 1)[0][0] == place
    index.remove(range(4000))
    assert index.count() == BLOCK
    assert index.search(rows[4000], None, 1)[0][0] == 4000


def test_a_hidden_repository_gives_nothing(index: VectorIndex) -> None:
    rows = unit_rows(20)
    index.upsert([(n, "shop" if n % 2 else "bank", rows[n]) for n in range(20)])
    assert {id_ % 2 for id_, _ in index.search(rows[3], None, 20, ["bank"])} == {1}
    assert index.search(rows[3], "bank", 20, ["bank"]) == []


def test_in_memory_ties_at_the_limit_go_to_the_smaller_ids() -> None:
    index, same = VectorIndex.open(None, None, DIMENSION), unit_rows(1)[0]
    index.upsert([(n, "shop", same) for n in (9, 4, 7, 2)])
    assert [id_ for id_, _ in index.search(same, None, 2)] == [2, 4]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["put", "remove"]), st.integers(0, 12), st.integers(0, 99)), max_size=60))
def test_whatever_is_put_and_removed_the_nearest_are_right(steps: list[tuple[str, int, int]]) -> None:
    index, rows = ExactIndex(DIMENSION), unit_rows(100)
    held: dict[int, Vector] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("store.exact.BLOCK", 3)
        for step, id_, row in steps:
            if step == "put":
                index.put([id_], rows[row : row + 1])
                held[id_] = rows[row]
            else:
                index.remove([id_])
                held.pop(id_, None)
        found = index.search(rows[0], 5)
    assert len(index) == len(held)
    expected = sorted(held, key=lambda id_: (-float(np.float32(held[id_] @ rows[0])), id_))[:5]
    assert [score for _, score in found] == pytest.approx([float(held[id_] @ rows[0]) for id_ in expected], abs=1e-6)
    assert len({id_ for id_, _ in found}) == len(found)
    assert all(score == pytest.approx(float(held[id_] @ rows[0]), abs=1e-6) for id_, score in found)


def test_qdrant_is_not_imported_without_a_server() -> None:
    script = (
        "import sys; from store.vectors import VectorIndex\n"
        "VectorIndex.open(None, None, 8).close(); print('qdrant_client' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_a_folder_has_one_owner_until_it_closes(tmp_path: Path) -> None:
    folder = tmp_path / "qdrant"
    first = VectorIndex.open(folder, None, DIMENSION)
    with pytest.raises(Unavailable, match=r"another Rankloop process owns the index.*QDRANT_URL"):
        VectorIndex.open(folder, None, DIMENSION)
    first.close()
    VectorIndex.open(folder, None, DIMENSION).close()


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from store.vectors import VectorIndex\n"
        f"index = VectorIndex.open(Path({str(tmp_path)!r}), None, 8); print('owned', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner:
        assert owner.stdout.readline() == "owned\n"
        with pytest.raises(Unavailable):
            VectorIndex.open(tmp_path, None, DIMENSION)
        owner.kill()
    VectorIndex.open(tmp_path, None, DIMENSION).close()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="index folder"):
        VectorIndex.open(tmp_path / "file" / "qdrant", None, DIMENSION)


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="Qdrant server"):
        VectorIndex.open(None, "http://127.0.0.1:9", DIMENSION)
