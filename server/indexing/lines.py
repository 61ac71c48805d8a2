"""Lines of a file with their sizes in (estimated) tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

# WordPiece makes about 1.1 tokens of each short word or punctuation mark of code: 5th to 95th percentile of
# estimate / truth is 0.92 to 1.09 over 2,600 chunks of Python, 0.85 to 1.07 over TypeScript, CSS, JSON and Markdown.
# A rule such as "-----" counts as one mark: it is long in tokens and says nothing.
_MARK = re.compile(r"[^\W_]{1,10}|([^\w\s])\1{3,}|[^\w\s]|_")
_TOKENS_PER_MARK = 1.1


class Lines:
    """A file's lines with their sizes. Line numbers count from 0 and ranges include both ends."""

    def __init__(self, text: str) -> None:
        self.lines: Sequence[str] = text.split("\n")
        sizes = (_TOKENS_PER_MARK * len(_MARK.findall(line)) for line in self.lines)
        self._until = [0.0, *accumulate(sizes)]

    def __len__(self) -> int:
        return len(self.lines)

    def size(self, start: int, end: int) -> float:
        """Estimated tokens of the lines."""
        return self._until[end + 1] - self._until[start]

    def text(self, start: int, end: int) -> str:
        return "\n".join(self.lines[start : end + 1])

    def blank(self, line: int) -> bool:
        return not self.lines[line].strip()

    def trim(self, start: int, end: int) -> tuple[int, int] | None:
        """The range without blank lines at its ends; None when nothing is left."""
        while start <= end and self.blank(start):
            start += 1
        while end >= start and self.blank(end):
            end -= 1
        return (start, end) if start <= end else None
