"""Every file below a root is found or skipped with the right reason; git's own opinion is the yardstick."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from server.indexing.reading import read_below
from server.indexing.screen import LARGEST, Reason
from server.indexing.walk import Found, Skipped, checked_root, read, walk
from store.errors import InvalidInput

KEY_BLOCK = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE " + "KEY-----\n"


def tree(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def found(root: Path) -> set[str]:
    return {item.path for item in walk(root) if isinstance(item, Found) and not isinstance(read(item), Skipped)}


def reasons(root: Path) -> dict[str, Reason]:
    out: dict[str, Reason] = {}
    for item in walk(root):
        result = read(item) if isinstance(item, Found) else item
        if isinstance(result, Skipped):
            out[result.path] = result.reason
    return out


def test_gitignore_is_read_as_git_reads_it(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            ".gitignore": "*.log\n!keep.log\n/build/\ndocs/**/draft.md\n# comment\n\\#odd\ntrail \nsecret_dir\n[bad\n",
            "a.py": "1",
            "x.log": "x",
            "keep.log": "x",
            "build/out.py": "1",
            "sub/build/in.py": "1",
            "sub/.gitignore": "*.tmp\n!x.log\n/only_here.py\n",
            "sub/x.log": "x",
            "sub/y.log": "y",
            "sub/z.tmp": "z",
            "sub/only_here.py": "1",
            "sub/deep/only_here.py": "1",
            "sub/deep/.gitignore": "!z.tmp\n",
            "sub/deep/z.tmp": "z",
            "docs/a/b/draft.md": "x",
            "docs/draft.md": "x",
            "#odd": "x",
            "trail": "x",
            "secret_dir/in.py": "1",
            "local.txt": "x",
            "ünï/çode.py": "1",
        },
    )
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("local.txt\n")
    listed = subprocess.run(
        ["git", "-C", str(tmp_path), "ls-files", "-z", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )
    assert found(tmp_path) == set(listed.stdout.decode().strip("\0").split("\0"))
    assert reasons(tmp_path)["build/"] is Reason.IGNORED_FOLDER
    assert reasons(tmp_path)["x.log"] is Reason.IGNORED


def test_rules_above_a_sub_folder_count_unless_it_is_ignored_itself(tmp_path: Path) -> None:
    tree(
        tmp_path, {".gitignore": "*.log\n/lib/\n", "src/a.py": "1", "src/a.log": "1", "lib/b.py": "1", "lib/b.log": "1"}
    )
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert found(tmp_path / "src") == {"a.py"}
    assert found(tmp_path / "lib") == {"b.py", "b.log"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (".env", "A=1", Reason.SECRET),
        (".env.local", "A=1", Reason.SECRET),
        ("deploy/prod.env", "A=1", Reason.SECRET),
        ("id_rsa", "x", Reason.SECRET),
        ("id_ed25519.pub", "x", Reason.SECRET),
        ("server.pem", "x", Reason.SECRET),
        ("tls.key", "x", Reason.SECRET),
        (".aws/config", "x", Reason.SECRET),
        ("credentials", "x", Reason.SECRET),
        ("credentials.json", "{}", Reason.SECRET),
        (".npmrc", "x", Reason.SECRET),
        ("notes.txt", f"my key\n{KEY_BLOCK}", Reason.SECRET),
        ("service.json", '{"private_key": "' + KEY_BLOCK.replace("\n", "\\n") + '"}', Reason.SECRET),
        ("package-lock.json", "{}", Reason.LOCK_FILE),
        ("Cargo.lock", "x", Reason.LOCK_FILE),
        ("logo.png", b"\x89PNG", Reason.BINARY),
        ("blob", b"a\x00b", Reason.BINARY),
        ("odd.txt", b"\xff\x81\x02\x03", Reason.BINARY),
        ("app.min.js", "x", Reason.MINIFIED),
        ("app.js", "var a=b(c,d.e);" * 600, Reason.MINIFIED),
        ("dense.js", ("var a=b(c,d.e);" * 60 + "\n") * 5, Reason.MINIFIED),
        ("big.txt", "a b c\n" * (LARGEST // 6 + 1), Reason.TOO_LARGE),
        ("empty.py", " \n", Reason.EMPTY),
        ("node_modules/x/index.js", "1", Reason.VENDORED_FOLDER),
    ],
)
def test_what_is_left_out_says_why(tmp_path: Path, name: str, content: str | bytes, reason: Reason) -> None:
    tree(tmp_path, {name: content, "kept.py": "x = 1"})
    assert list(reasons(tmp_path).values()) == [reason]
    assert found(tmp_path) == {"kept.py"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("credentials.py", "def load(): ..."),
        ("secrets.go", "package secrets"),
        ("environment.py", "x = 1"),
        ("keys.txt", "a PEM file begins with -----BEGIN PRIVATE " + "KEY----- and ends likewise"),
        ("check.py", 'if "-----BEGIN PRIVATE ' + 'KEY-----" in text:\n    pass'),
        ("vendor/own.py", "x = 1"),
        ("Makefile", "all:\n\ttrue"),
        ("prose.md", "word " * 900),
    ],
)
def test_what_only_looks_like_a_secret_or_a_copy_is_kept(tmp_path: Path, name: str, content: str) -> None:
    tree(tmp_path, {name: content})
    assert found(tmp_path) == {name}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_text_in_other_encodings_is_read(tmp_path: Path, encoding: str) -> None:
    tree(tmp_path, {"a.txt": "größer als früher".encode(encoding)})
    (item,) = walk(tmp_path)
    assert isinstance(item, Found)
    assert read(item) == "größer als früher"


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tree(tmp_path / "outside", {"passwords.txt": "x"})
    root = tree(tmp_path / "root", {"a.py": "1"})
    (root / "out").symlink_to(outside, target_is_directory=True)
    (root / "file.txt").symlink_to(outside / "passwords.txt")
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "gone").symlink_to(root / "nothing")
    assert found(root) == {"a.py"}
    assert reasons(root) == dict.fromkeys(["out", "file.txt", "loop", "gone"], Reason.SYMLINK)


def test_pipes_and_odd_names_do_not_stop_the_walk(tmp_path: Path) -> None:
    tree(tmp_path, {"a.py": "1"})
    os.mkfifo(tmp_path / "pipe")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.py")).write_text("1")
    assert found(tmp_path) == {"a.py"}
    assert set(reasons(tmp_path).values()) == {Reason.SPECIAL, Reason.NAME}


def test_a_file_that_vanishes_is_unreadable(tmp_path: Path) -> None:
    tree(tmp_path, {"a.py": "1"})
    (item,) = walk(tmp_path)
    assert isinstance(item, Found)
    (tmp_path / item.path).unlink()
    assert read(item) == Skipped("a.py", Reason.UNREADABLE)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("swap", ["link", "folder link", "upper folder link", "pipe", "folder", "link within"])
def test_what_takes_a_listed_file_s_place_is_not_read(tmp_path: Path, swap: str) -> None:
    """A checkout between the listing of a folder and the reading of its files."""
    outside = tree(tmp_path / "outside", {"x.py": "token = 1", "b/x.py": "token = 2"})
    root = tree(tmp_path / "root", {"a/b/x.py": "x = 1", "a/other.py": "x = 2"})
    listed = next(item for item in walk(root) if isinstance(item, Found) and item.path == "a/b/x.py")
    file = root / "a" / "b" / "x.py"
    assert read(listed) == "x = 1"
    taken = {"folder link": root / "a" / "b", "upper folder link": root / "a"}.get(swap, file)
    taken.rename(tmp_path / "aside")
    if swap == "pipe":
        os.mkfifo(taken)
    elif swap == "folder":
        taken.mkdir()
    else:
        taken.symlink_to({"link": outside / "x.py", "link within": root / "a" / "other.py"}.get(swap, outside))
    assert read(listed) == Skipped("a/b/x.py", Reason.UNREADABLE)


def test_a_file_that_grew_since_it_was_listed_is_too_large(tmp_path: Path) -> None:
    tree(tmp_path, {"a.txt": "a b c\n"})
    (item,) = walk(tmp_path)
    assert isinstance(item, Found)
    (tmp_path / "a.txt").write_bytes(b"a b c\n" * (LARGEST // 6 + 1))
    assert read(item) == Skipped("a.txt", Reason.TOO_LARGE)


@pytest.mark.parametrize("path", ["../outside.txt", "a/../../outside.txt", "/etc/hostname", "", "."])
def test_no_path_leads_out_of_the_root(tmp_path: Path, path: str) -> None:
    root = tree(tmp_path / "root", {"a/b.txt": "x"})
    (tmp_path / "outside.txt").write_text("x")
    with pytest.raises(OSError, match="no path below the root"):
        read_below(root, path, 10)
    assert read_below(root, "a/b.txt", 10) == b"x"


def test_reading_leaves_no_file_open(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", {"a/b.txt": "x"})
    (root / "a" / "link").symlink_to(root)
    os.mkfifo(root / "pipe")
    before = psutil.Process().num_fds()
    for path in ("a/b.txt", "a/gone", "gone/b.txt", "a/link/a/b.txt", "pipe", "a", "a/b.txt/c"):
        with suppress(OSError):
            read_below(root, path, 10)
    assert psutil.Process().num_fds() == before


def test_a_data_directory_inside_is_not_indexed(tmp_path: Path) -> None:
    tree(tmp_path, {"state/rankloop.db": "x", "state/notes.txt": "x", "a.py": "1"})
    assert found(tmp_path) == {"a.py"}


@pytest.mark.parametrize(("given", "says"), [("nothing", "no folder"), ("a.py", "is a file"), ("a.py/x", "no folder")])
def test_a_wrong_root_is_refused_with_its_name(tmp_path: Path, given: str, says: str) -> None:
    tree(tmp_path, {"a.py": "1"})
    with pytest.raises(InvalidInput, match=says) as caught:
        checked_root(tmp_path / given)
    assert given in caught.value.message


@pytest.mark.parametrize("given", ["a\x00b", "x" * 5000])
def test_a_root_that_is_no_path_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput):
        checked_root(Path(given))
