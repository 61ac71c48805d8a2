from __future__ import annotations

import numpy as np

from store.types import Chunk, Vector
from trainer.follow import How, follow


def chunk(id: int, text: str, path: str = "a.py", symbol: str = "parse", repo: str = "r") -> Chunk:
    return Chunk(id, repo, path, 1, 9, symbol, "python", text, text)


def at(degrees: float) -> Vector:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], dtype=np.float32)


def test_unchanged_text_stays_with_its_chunk() -> None:
    found = follow([chunk(1, "old")], [chunk(1, "old"), chunk(2, "old", path="b.py")], {})["old"]
    assert (found.how, found.content_hash, found.chunk_id, found.note) == (How.SAME, "old", 1, "")


def test_moved_text_is_found_by_its_hash() -> None:
    found = follow([chunk(1, "old")], [chunk(5, "old", path="b.py")], {})["old"]
    assert (found.how, found.chunk_id) == (How.SAME, 5)
    assert found.note == "moved to b.py:1 (parse)"


def test_changed_text_is_found_by_symbol_and_similarity_same_file_first() -> None:
    live = [chunk(5, "closer", path="b.py"), chunk(6, "same file")]
    found = follow([chunk(1, "old")], live, {"old": at(0), "closer": at(5), "same file": at(20)})["old"]
    assert (found.how, found.content_hash, found.chunk_id) == (How.CHANGED, "same file", 6)
    assert "0.94" in found.note


def test_a_rewritten_symbol_is_another_thing() -> None:
    found = follow([chunk(1, "old")], [chunk(6, "new")], {"old": at(0), "new": at(60)})["old"]
    assert (found.how, found.content_hash, found.chunk_id) == (How.GONE, "old", None)


def test_similar_text_of_another_symbol_or_repository_is_no_successor() -> None:
    live = [chunk(6, "new", symbol="other"), chunk(7, "near", repo="elsewhere")]
    assert follow([chunk(1, "old")], live, {"old": at(0), "new": at(0), "near": at(0)})["old"].how is How.GONE


def test_without_symbol_or_vector_nothing_is_followed_by_similarity() -> None:
    nameless = follow([chunk(1, "old", symbol="")], [chunk(6, "new", symbol="")], {"old": at(0), "new": at(0)})
    unknown = follow([chunk(1, "old")], [chunk(6, "new")], {"new": at(0)})
    assert nameless["old"].how is How.GONE
    assert unknown["old"].how is How.GONE


def test_one_text_judged_in_two_places_follows_whichever_can_be_followed() -> None:
    judged = [chunk(1, "old", symbol="lost"), chunk(2, "old", symbol="parse")]
    found = follow(judged, [chunk(6, "new")], {"old": at(0), "new": at(10)})["old"]
    assert (found.how, found.chunk_id) == (How.CHANGED, 6)
