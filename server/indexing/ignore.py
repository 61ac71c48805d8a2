"""Git's ignore rules: every level's ``.gitignore``, also above the root, and ``.git/info/exclude``."""

from __future__ import annotations

from pathlib import Path

from pathspec import GitIgnoreSpec


class Ignore:
    """Rules that hold in one folder: its own and, through ``outer``, those of the folders around it."""

    def __init__(self, spec: GitIgnoreSpec, outer: Ignore | None = None, inside: str = "") -> None:
        self._spec = spec
        self._outer = outer
        self._inside = inside
        """Path of this folder in the outer one, ending in a slash."""

    def ignores(self, name: str) -> bool:
        """Whether git would ignore the entry (a path relative to this folder; folders end in a slash)."""
        level: Ignore | None = self
        while level is not None:
            verdict = level._spec.check_file(name).include
            if verdict is not None:
                return verdict
            name = level._inside + name
            level = level._outer
        return False

    def enter(self, folder: Path) -> Ignore:
        """The rules inside a child folder."""
        return Ignore(_read(folder / ".gitignore"), self, f"{folder.name}/")


def outermost(root: Path) -> Ignore:
    """The rules at ``root``, including those of the git work tree that it is a folder of.

    A root that its work tree ignores was asked for by name: the rules above it then do not count.
    """
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return Ignore(_read(root / ".gitignore"))
    ignore = Ignore(_read(top / ".gitignore"), Ignore(_read(top / ".git" / "info" / "exclude")))
    for part in root.relative_to(top).parts:
        if ignore.ignores(f"{part}/"):
            return Ignore(_read(root / ".gitignore"))
        top = top / part
        ignore = ignore.enter(top)
    return ignore


def _read(path: Path) -> GitIgnoreSpec:
    """The file's rules; none where there is no such file or it can't be read."""
    try:
        if path.is_symlink():  # git does not follow them either
            return GitIgnoreSpec.from_lines([])
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return GitIgnoreSpec.from_lines([])
    return GitIgnoreSpec.from_lines(line for line in lines if _valid(line))


def _valid(line: str) -> bool:
    """Git passes over patterns that mean nothing; pathspec would refuse the whole file."""
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
