"""Rules of a ``.gitignore``: git's own verdict is the yardstick, and nothing that is written there stops the walk."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path
from time import process_time

import pytest

from server.indexing import ignore
from server.indexing.globs import rule
from server.indexing.ignore import Ignore, rules_of
from server.indexing.walk import Found, walk

NAMES = (
    "a.py", "a.pyc", "b.pyd", "a.pyx", "build", "build/a.py", "src/build/b.log", "src/a.log", "a.log", "log",
    "keep.log", "docs/_build/x.html", "docs/a/_build/y.html", "docs/a/b/draft.md", "docs/draft.md", "x/y/z/w.txt",
    "x/z/w.txt", "Debug/out.o", "debug/out.o", "core.123", "core", "a~", "#x#", "!bang", "#hash", "two words",
    "trail", "a*b", "aab", "[a]", "x]y", "back\\slash", "new\nline", ".hidden", ".hidden.d/in", "venv/bin/python",
    "sub/venv/x", "-", "ünï/ç.py",
)  # fmt: skip
PATTERNS = (
    "*.py[cod]", "*.log", "build", "build/", "/build/", "src/*.log", "src/**", "**/build", "**/build/",
    "docs/**/draft.md", "docs/_build/", "**/_build/**", "x/**/w.txt", "x/*/w.txt", "[Dd]ebug/", "core.[0-9]*", "*~",
    "\\#*", "\\!bang", "#hash", "two words", "trail ", "trail\\ ", "a\\*b", "a*b", "a?b", "\\[a]", "[[]a]", "x[]]y",
    "[!a-z]*", "[^.]*.py", "*", "/*", "**", "*/", "**/", "/", "!", "", ".*", "venv", "/venv", "sub/", "[z-a]", "[a",
    "a\\", "***", "*.*", "?", "*a*b*", "a**b", "back\\\\slash", "*line", "docs//draft.md", "[]-]", "ünï/*",
    "*.log\r", "**/**/w.txt", "x/**/**/w.txt", "/**/w.txt", "*\n!*.py", "*.log\n!keep.log",
    "/*\n!/src\n/src/*\n!/src/build", "*.py\n!/build/*.py\n*.py",
)  # fmt: skip


def ignored_by_git(root: Path, paths: list[str]) -> set[str]:
    told = subprocess.run(
        ["git", "-C", str(root), "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(paths).encode() + b"\0",
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )
    return set(filter(None, told.stdout.decode().split("\0")))


def ignored_by_us(root: Path, paths: list[str]) -> set[str]:
    """As the walk goes: what lies in an ignored folder is ignored."""
    rules, out = Ignore(rules_of(root)), set[str]()
    for path in sorted(paths):
        if path.rpartition("/")[0] in out or rules.ignores(f"{path}/" if (root / path).is_dir() else path):
            out.add(path)
    return out


def test_every_rule_means_what_it_means_to_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name != "build":
            path.touch()
    paths = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")]
    paths = [path for path in paths if path.split("/")[0] != ".git"]
    matched = set[str]()
    for pattern in PATTERNS:
        (tmp_path / ".gitignore").write_bytes(f"{pattern}\n".encode())
        expected = ignored_by_git(tmp_path, paths)
        assert ignored_by_us(tmp_path, paths) == expected, repr(pattern)
        matched |= expected
    assert matched == set(paths)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("*a" * 30 + "*b", "a" * 250),
        ("*a*a*a*a*a*a*a*b", "a" * 60),
        ("*" * 500 + "b", "a" * 250),
        ("?*" * 100 + "b", "a" * 250),
        ("*[!b]" * 100 + "b", "a" * 250),
        ("**/*a*a*a/" * 40 + "b", "/".join(["a" * 50] * 20)),
        ("a/**/" * 80 + "b", "/".join(["a"] * 200)),
    ],
)
def test_no_line_of_a_gitignore_stops_the_walk(tmp_path: Path, line: str, name: str) -> None:
    (tmp_path / ".gitignore").write_text(f"{line}\n")
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("x = 1\n")
    began = process_time()
    found = [item.path for item in walk(tmp_path) if isinstance(item, Found)]
    assert process_time() - began < 1
    assert found == [".gitignore", name]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("folder", [".", "sub"])
def test_a_pipe_or_a_link_for_a_gitignore_is_no_rule_and_holds_nothing_up(tmp_path: Path, folder: str) -> None:
    root = tmp_path / "root"
    (root / folder).mkdir(parents=True)
    (root / folder / "a.py").write_text("x = 1\n")
    os.mkfifo(root / folder / ".gitignore")
    path = (Path(folder) / "a.py").as_posix()
    assert [item.path for item in walk(root) if isinstance(item, Found)] == [path]
    (root / folder / ".gitignore").unlink()
    (tmp_path / "rules").write_text("*.py\n")
    (root / folder / ".gitignore").symlink_to(tmp_path / "rules")
    assert [item.path for item in walk(root) if isinstance(item, Found)] == [path]


def test_a_broken_line_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("[z-a]\n[a\n\\\n*.log\n")
    for name in ("a.log", "a.py"):
        (tmp_path / name).write_text("x = 1\n")
    assert [item.path for item in walk(tmp_path) if isinstance(item, Found)] == [".gitignore", "a.py"]


def test_there_are_limits_and_what_is_beyond_them_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ignore, "LARGEST", 2_000)
    monkeypatch.setattr(ignore, "MOST", 3)
    (tmp_path / ".gitignore").write_text("a\nb\n" + "c" * 1_001 + "\nd\ne\n" + "#" * 990 + "\nf" + "f" * 100 + "\n")
    with caplog.at_level(logging.WARNING, "rankloop.server"):
        rules = rules_of(tmp_path)
    assert [name for name in "abcdef" if any(one.matches([name], False) for one in rules)] == ["a", "b", "d"]
    assert ["bytes" in caplog.text, "characters" in caplog.text, "rules count" in caplog.text] == [True] * 3


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"\xef\xbb\xbf*.log\r\n")
    (one,) = rules_of(tmp_path)
    assert one.matches(["a.log"], False)


@pytest.mark.parametrize("line", ["", "  ", "# a comment", "/", "!", "a//b", "[z", "\\"])
def test_what_matches_nothing_is_no_rule(line: str) -> None:
    assert rule(line) is None
