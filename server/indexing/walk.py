"""Every file below a root: found, or skipped with a reason. Nothing is dropped silently."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from server.indexing.ignore import NAME, Ignore, outermost, rules_of
from server.indexing.reading import read_below
from server.indexing.screen import LARGEST, Reason, content, folder_reason, name_reason
from store.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be indexed; its content has not been looked at yet."""

    path: str
    """Relative to the root, with slashes."""
    root: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Skipped:
    path: str
    """Relative to the root; a folder's ends in a slash."""
    reason: Reason


def checked_root(root: Path) -> Path:
    """The folder to be indexed, absolute and with symbolic links resolved.

    Raises InvalidInput when there is no such folder or it can't be read.
    """
    try:
        resolved = root.expanduser().resolve(strict=True)
        if not resolved.is_dir():
            raise InvalidInput(f"{root} is a file; give the folder to be indexed")
        with os.scandir(resolved) as entries:
            next(entries, None)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidInput(f"there is no folder {root} on this machine") from error
    except PermissionError as error:
        raise InvalidInput(f"the folder {root} can't be read by this process: permission denied") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"the folder {str(root)!r} can't be read: {error}") from error
    return resolved


def walk(root: Path) -> Iterator[Found | Skipped]:
    """Files below ``root`` in the order of their paths; symbolic links are never followed.

    A folder that is not entered is one ``Skipped`` whose reason counts folders.
    Raises InvalidInput when the root itself can't be read.
    """
    root = checked_root(root)
    pending: list[tuple[str, Ignore]] = [("", outermost(root))]
    while pending:
        prefix, ignore = pending.pop()
        try:
            with os.scandir(root / prefix) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            yield Skipped(prefix or "./", Reason.UNREADABLE_FOLDER)
            continue
        if prefix:
            own = rules_of(root, prefix + NAME) if any(entry.name == NAME for entry in entries) else ()
            ignore = ignore.enter(PurePosixPath(prefix).name, own)
        inner = []
        for entry in entries:
            if _is_folder(entry):
                reason = _folder_reason(entry, ignore)
                if reason is None:
                    inner.append((f"{prefix}{entry.name}/", ignore))
                else:
                    yield Skipped(_printable(f"{prefix}{entry.name}/"), reason)
            else:
                yield _file(root, entry, f"{prefix}{entry.name}", ignore)
        pending += reversed(inner)


def read(found: Found) -> str | Skipped:
    """The file's text, or why it is left out after all: no link is followed, also not one that took its place since."""
    try:
        raw = read_below(found.root, found.path, LARGEST)
    except OSError:
        return Skipped(found.path, Reason.UNREADABLE)
    if len(raw) > LARGEST:
        return Skipped(found.path, Reason.TOO_LARGE)
    text = content(raw)
    return Skipped(found.path, text) if isinstance(text, Reason) else text


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _folder_reason(entry: os.DirEntry[str], ignore: Ignore) -> Reason | None:
    if not _is_utf8(entry.name):
        return Reason.NAME
    reason = folder_reason(Path(entry.path))
    if reason is not Reason.VERSION_CONTROL and ignore.ignores(f"{entry.name}/"):
        return Reason.IGNORED_FOLDER
    return reason


def _file(root: Path, entry: os.DirEntry[str], path: str, ignore: Ignore) -> Found | Skipped:
    if not _is_utf8(path):
        return Skipped(_printable(path), Reason.NAME)
    try:
        about = entry.stat(follow_symlinks=False)
    except OSError:
        return Skipped(path, Reason.UNREADABLE)
    reason: Reason | None = None
    if ignore.ignores(entry.name):
        reason = Reason.IGNORED
    elif stat.S_ISLNK(about.st_mode):
        reason = Reason.SYMLINK
    elif not stat.S_ISREG(about.st_mode):
        reason = Reason.SPECIAL
    else:
        reason = name_reason(path)
        if reason is None and about.st_size > LARGEST:
            reason = Reason.TOO_LARGE
    if reason is not None:
        return Skipped(path, reason)
    return Found(path, root, about.st_size, about.st_mtime_ns)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()
