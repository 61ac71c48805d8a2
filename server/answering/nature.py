"""What a chunk is, as far as its text and path tell: function or class, abstract, a test. Pure."""

from __future__ import annotations

import re

from server.answering.lines import prose_lines
from store.types import Chunk

_SKIPPED = r"^\s*(?:(?:export|default|public|private|protected|static|final|abstract|async|pub|inline) )*"
_KINDS = (
    (re.compile(_SKIPPED + r"(class|interface|struct|enum|trait)\b"), ""),
    (re.compile(_SKIPPED + r"(def|function|func|fn)\b"), "function"),
)
_TEST = re.compile(
    r"(^|/)(tests?|__tests__|spec|testing)/|(^|/)(test_[^/]*|[^/]*_test|[^/]*[.](test|spec)|conftest)[.]\w+$",
    re.IGNORECASE,
)
_HOLLOW = re.compile(r"^\s*(raise NotImplementedError\b.*|pass|\.\.\.|return NotImplemented)\s*(#.*)?$")


def kind(chunk: Chunk) -> str:
    """ "function", "method", "class" and so on; empty where the text doesn't say, or for several at once."""
    if "," in chunk.symbol:
        return ""
    prose = prose_lines(chunk.text)
    for number, line in enumerate(chunk.text.splitlines()):
        if number in prose:
            continue
        for pattern, name in _KINDS:
            if match := pattern.match(line):
                inside = "." in chunk.symbol or "::" in chunk.symbol
                return "method" if name and inside else name or match.group(1)
    return ""


def is_abstract(chunk: Chunk) -> bool:
    """Whether all that the chunk does is to leave the work to somebody else (Python)."""
    prose = prose_lines(chunk.text)
    lines = [line for number, line in enumerate(chunk.text.splitlines()) if number not in prose and line.strip()]
    begins = next((number for number, line in enumerate(lines) if re.match(r"\s*(async )?def\b", line)), None)
    if begins is None:
        return False
    ends = next((number for number, line in enumerate(lines[begins:], begins) if line.rstrip().endswith(":")), None)
    if ends is None:
        return False
    body = lines[ends + 1 :]
    left = any("NotImplemented" in line for line in body) or "@abstractmethod" in chunk.text
    return left and all(_HOLLOW.match(line) for line in body)


def is_test(chunk: Chunk) -> bool:
    """Whether the chunk's file is one of tests, by its path."""
    return _TEST.search(chunk.path) is not None
