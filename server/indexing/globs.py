"""One line of a ``.gitignore``, as git reads it, matched in time that grows with pattern times path and no faster.

A repository's own file is written by whoever may commit. ``*a*a*a*b`` as one plain regular expression tries every way
to share a name among the stars: with a dozen of them that ends on no machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Block = tuple[re.Pattern[str], ...]
"""Neighbouring names of a path, one pattern each."""


@dataclass(frozen=True, slots=True)
class Rule:
    keeps: bool
    """Begins with ``!``: what it matches is not ignored."""
    folders_only: bool
    anywhere: bool
    """Without a slash: the last name of a path decides."""
    blocks: tuple[Block, ...]
    """What stands between each two ``**``; the first block begins the path, the last one ends it."""

    def matches(self, names: Sequence[str], folder: bool) -> bool:
        """Whether git would say that the path, given by its names, fits; ``folder``: it is one."""
        if self.folders_only and not folder:
            return False
        if self.anywhere:
            return self.blocks[0][0].fullmatch(names[-1]) is not None
        return self._along(names)

    def _along(self, names: Sequence[str]) -> bool:
        head, *middle = self.blocks
        if not middle:
            return len(head) == len(names) and _fits(head, names, 0)
        tail = middle.pop()
        end = len(names) - (len(tail) or 1)  # ``a/**`` is what lies in a, not a itself
        if not _fits(head, names, 0):
            return False
        at = len(head)
        for block in middle:  # the first place is as good as any: it leaves the most to the blocks after it
            place = next((here for here in range(at, end - len(block) + 1) if _fits(block, names, here)), None)
            if place is None:
                return False
            at = place + len(block)
        return at <= end and _fits(tail, names, end)


def rule(line: str) -> Rule | None:
    """The rule that a line gives; None for a comment, an empty line and what git could never match."""
    pattern = _without_trailing_spaces(line)
    if not pattern or pattern.startswith("#"):
        return None
    keeps = pattern.startswith("!")
    pattern = pattern.removeprefix("!")
    folders_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    anywhere = "/" not in pattern
    segments = [pattern] if anywhere else pattern.removeprefix("/").split("/")
    blocks: list[list[re.Pattern[str]]] = [[]]
    for segment in segments:
        if not anywhere and len(segment) > 1 and not segment.strip("*"):
            if blocks[-1] or len(blocks) == 1:  # ``**/**`` is one
                blocks.append([])
            continue
        compiled = _segment(segment)
        if compiled is None:
            return None
        blocks[-1].append(compiled)
    return Rule(keeps, folders_only, anywhere, tuple(map(tuple, blocks)))


def _fits(block: Block, names: Sequence[str], at: int) -> bool:
    if at + len(block) > len(names):
        return False
    return all(pattern.fullmatch(names[at + step]) for step, pattern in enumerate(block))


def _without_trailing_spaces(line: str) -> str:
    bare = line.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return f"{bare} " if backslashes % 2 and len(bare) < len(line) else bare


def _segment(glob: str) -> re.Pattern[str] | None:
    """A pattern for one name of a path; None for one that nothing matches.

    Between two stars a part has a fixed length, so its first place is as good as any: an atomic group keeps it there.
    """
    fixed = [""]
    for token in _tokens(glob):
        if token is None:
            return None
        if token == "*":
            fixed.append("")
        else:
            fixed[-1] += token
    head, *middle = fixed
    if middle:
        tail = middle.pop()
        head += "".join(f"(?>.*?{part})" for part in middle if part) + ".*" + tail
    return re.compile(head, re.DOTALL) if glob else None


def _tokens(glob: str) -> Iterator[str | None]:
    """A regular expression for one character each, or ``*``; None where the pattern is broken."""
    at = 0
    while at < len(glob):
        sign = glob[at]
        at += 1
        if sign == "*":
            yield "*"
        elif sign == "?":
            yield "."
        elif sign == "[":
            found = _bracket(glob, at)
            if found is None:
                yield None
                return
            one, at = found
            yield one
        elif sign == "\\":
            yield re.escape(glob[at]) if at < len(glob) else None
            at += 1
        else:
            yield re.escape(sign)


def _bracket(glob: str, at: int) -> tuple[str, int] | None:
    """One of these characters, and where the pattern goes on; None where the bracket is never closed."""
    negated = glob[at : at + 1] in {"!", "^"}
    at += negated
    first, items = at, ""
    while at < len(glob) and (glob[at] != "]" or at == first):
        low, at = _character(glob, at)
        high = low
        if glob[at : at + 1] == "-" and glob[at + 1 : at + 2] not in {"", "]"}:
            high, at = _character(glob, at + 1)
        items += f"{re.escape(low)}-{re.escape(max(low, high))}"  # of a range that runs backwards git takes the first
    return (f"[{'^' if negated else ''}{items}]", at + 1) if at < len(glob) else None


def _character(glob: str, at: int) -> tuple[str, int]:
    at += glob[at] == "\\" and at + 1 < len(glob)
    return glob[at], at + 1
