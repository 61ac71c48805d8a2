"""What commands say of what they found: places that are not indexed, folders without code, refused files."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from tests.integration.rankloop.conftest import Desk
from tests.integration.server.support import CODE


def golden_file(folder: Path, *rows: object) -> Path:
    file = folder / "golden.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_golden_questions_are_warned_of_listed_and_removed(desk: Desk, tmp_path: Path) -> None:
    here = next(iter(CODE))
    away = "a_long_folder_name/" * 12 + "gone.py"
    file = golden_file(
        tmp_path,
        {"query": "where is it", "expected": [here, away], "repo": "shop"},
        {"query": "what else", "expected": [here, away, 10**6]},
        {"query": "and there", "expected": [here], "repo": "nowhere"},
    )
    assert "No golden questions" in desk.says("golden", "list")
    lines = desk.says("golden", "import", file).splitlines()
    assert lines[0] == "3 golden questions imported."
    warned = [line.split(": it judges nothing")[0] for line in lines[1:]]
    assert warned == [
        f"Warning: the repository 'shop' does not hold {away}",
        f"Warning: no repository holds {away}",
        "Warning: there is no chunk 1000000 in the index",
        f"Warning: the repository 'nowhere' does not hold {here}",
    ]
    assert desk.says("golden", "list").splitlines() == [
        "   1  where is it  (in shop)",
        f"      {here}",
        f"      {away}  (not indexed)",
        "   2  what else",
        f"      {here}",
        f"      {away}  (not indexed)",
        "      1000000  (not indexed)",
        "   3  and there  (in nowhere)",
        f"      {here}  (not indexed)",
    ]
    desk.says("golden", "remove", "2")
    assert "what else" not in desk.says("golden", "list")
    assert "no golden question 2" in desk.refuses("golden", "remove", "2")


def test_one_bad_line_imports_nothing_and_is_named(empty: Desk, tmp_path: Path) -> None:
    good = {"query": "where", "expected": ["a.py"]}
    for bad in ({"query": "where"}, {"query": "where", "expected": [" "]}, {**good, "repo": 7}):
        refused = empty.refuses("golden", "import", golden_file(tmp_path, good, bad))
        assert "line 2" in refused
        assert "Nothing was imported" in refused
    assert "No golden questions" in empty.says("golden", "list")


def test_repositories_are_listed(desk: Desk) -> None:
    (line,) = desk.says("repos", "list").splitlines()
    assert line.startswith("shop  /")
    assert f"({len(CODE)} files, " in line
    desk.says("repos", "limit", "shop", "--group", "core")
    assert desk.says("repos", "list").strip().endswith(", limited)")


def test_a_folder_without_code_succeeds_and_says_so(empty: Desk, tmp_path: Path) -> None:
    bare, pictures = tmp_path / "bare", tmp_path / "pictures"
    bare.mkdir()
    pictures.mkdir()
    for name in ("one.png", "two.png", "three.py"):
        (pictures / name).write_bytes(b"")
    (pictures / "four.py").write_bytes(b"\x00\x01")
    assert f"Warning: nothing to index in {bare}: there are no files in it\n" in empty.says("index", bare)
    shown = empty.says("index", pictures)
    assert f"Warning: nothing to index in {pictures}: left out 3 binary, 1 empty\n" in shown


def test_a_secrets_place_is_never_cut(empty: Desk, tmp_path: Path) -> None:
    path = "a_long_folder_name/" * 8 + "settings.py"
    file = tmp_path / "code" / path
    file.parent.mkdir(parents=True)
    file.write_text("def connect():\n    password = 'kX9vQ2mZ7pL4tR8w'\n    return open_database(password)\n")
    shown = empty.says("index", tmp_path / "code", COLUMNS="60")
    assert [line for line in shown.splitlines() if line.endswith(f"  {path}:2")], shown
    assert "Warning" not in shown


def test_the_doctor_says_which_release_looked(desk: Desk) -> None:
    first = desk.run("doctor").output.splitlines()[0]
    assert first == f"rankloop {version('rankloop')}, data directory {desk.data.resolve()}"
    assert desk.says("--version").startswith(f"rankloop {version('rankloop')} in /")
