"""Git's ignore rules: every level's ``.gitignore``, also above the root, and ``.git/info/exclude``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from server.indexing.globs import Rule, rule
from server.indexing.reading import read_below

NAME = ".gitignore"
LARGEST = 1_000_000
"""Bytes of one file of rules that count."""
LONGEST = 1_000
"""Characters of a rule that counts."""
MOST = 10_000
"""Rules of one file that count."""
log = logging.getLogger("rankloop.server")


class Ignore:
    """Rules that hold in one folder: its own and, through ``outer``, those of the folders around it."""

    def __init__(self, rules: Sequence[Rule], outer: Ignore | None = None, inside: str | None = None) -> None:
        self._rules = rules[::-1]
        self._outer = outer
        self._inside = inside
        """This folder's name in the outer one; None where both are the same folder."""

    def ignores(self, path: str) -> bool:
        """Whether git would ignore the entry (a path relative to this folder; a folder's ends in a slash)."""
        folder = path.endswith("/")
        names = path.removesuffix("/").split("/")
        level: Ignore | None = self
        while level is not None:
            for one in level._rules:  # the last rule that matches decides
                if one.matches(names, folder):
                    return not one.keeps
            if level._inside is not None:
                names.insert(0, level._inside)
            level = level._outer
        return False

    def enter(self, name: str, rules: Sequence[Rule] = ()) -> Ignore:
        """The rules inside a child folder, which has ``rules`` of its own."""
        return Ignore(rules, self, name)


def outermost(root: Path) -> Ignore:
    """The rules at ``root``, including those of the git work tree that it is a folder of.

    A root that its work tree ignores was asked for by name: the rules above it then do not count.
    """
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return Ignore(rules_of(root))
    ignore = Ignore(rules_of(top), Ignore(rules_of(top / ".git" / "info", "exclude")))
    inside = ""
    for part in root.relative_to(top).parts:
        if ignore.ignores(f"{part}/"):
            return Ignore(rules_of(root))
        inside += f"{part}/"
        ignore = ignore.enter(part, rules_of(top, inside + NAME))
    return ignore


def rules_of(root: Path, path: str = NAME) -> list[Rule]:
    """The rules of a file below ``root``; none where there is no such file or it can't be read.

    git does not follow links to it either.
    """
    try:
        raw = read_below(root, path, LARGEST)
    except OSError:
        return []
    if len(raw) > LARGEST:
        raw = raw[:LARGEST].rpartition(b"\n")[0]
        log.warning("of %s in %s only the first %d bytes count", path, root, LARGEST)
    lines = [line.removesuffix("\r") for line in raw.decode("utf-8-sig", "replace").split("\n")]
    found = [made for line in lines if len(line) <= LONGEST and (made := rule(line)) is not None]
    if any(len(line) > LONGEST for line in lines):
        log.warning("rules of more than %d characters in %s in %s do not count", LONGEST, path, root)
    if len(found) > MOST:
        log.warning("of %s in %s only the first %d rules count", path, root, MOST)
    return found[:MOST]
