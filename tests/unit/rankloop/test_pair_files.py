"""Pair files: what is read, and what is refused with the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from rankloop.rows import read_golden, read_pairs
from store.errors import InvalidInput


def write(tmp_path: Path, name: str, text: str) -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_csv_with_quotes_and_newlines_in_the_code(tmp_path: Path) -> None:
    file = write(tmp_path, "pairs.csv", 'sentence_0,sentence_1,label\nsort a list,"def f(x):\n    return ""a"", x",1\n')
    assert read_pairs(file) == [("sort a list", 'def f(x):\n    return "a", x', 1.0)]


def test_jsonl_with_the_other_column_names(tmp_path: Path) -> None:
    file = write(tmp_path, "pairs.jsonl", '{"query": "q", "passage": "p", "label": 0}\n\n')
    assert read_pairs(file) == [("q", "p", 0.0)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", "sentence_0,sentence_1\na,b\n", "needed are"),
        ("b.csv", "query,passage,label\na,b,nan\n", "line 2"),
        ("c.csv", "query,passage,label\na,b,1\na,b,2\n", "line 3"),
        ("d.csv", "query,passage,label\na,b\n", "line 2"),
        ("e.jsonl", '{"query": "q", "passage": "p", "label": 1}\n{"query": ', "line 2"),
        ("f.jsonl", "[1, 2]\n", "line 1"),
        ("g.jsonl", '{"query": "q", "passage": "", "label": 1}\n', "line 1"),
        ("h.jsonl", '{"query": "q", "passage": "p", "label": NaN}\n', "line 1"),
        ("i.csv", "query,passage,label\n", "no rows"),
        ("j.jsonl", '{"query": "q", "passage": "p", "label": [1]}\n', "line 1"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path: Path, name: str, text: str, expected: str) -> None:
    with pytest.raises(InvalidInput, match=expected):
        read_pairs(write(tmp_path, name, text))


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="can't be read"):
        read_pairs(tmp_path / "none.csv")
    binary = tmp_path / "x.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InvalidInput, match="can't be read"):
        read_pairs(binary)


@pytest.mark.parametrize("place", ["true", "0", "-5", "9007199254740992", "1.5", "null"])
def test_a_golden_place_is_a_path_or_a_chunk_id(tmp_path: Path, place: str) -> None:
    file = tmp_path / "golden.jsonl"
    file.write_text(f'{{"query": "where is it", "expected": ["a.py", {place}]}}\n')
    with pytest.raises(InvalidInput, match=r"line 1: expected holds something else than paths and chunk ids"):
        read_golden(file)
    file.write_text('{"query": "where is it", "expected": ["a.py", 7]}\n')
    assert read_golden(file)[0].expected == ("a.py", 7)
