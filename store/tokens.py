"""Code-aware tokens for lexical search: whole identifiers and the words inside them. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_IDENTIFIER = re.compile(r"\w+")
_WORD = re.compile(
    r"""
    [A-Z]+(?=[A-Z][a-z])    # HTTP in HTTPServer
    | [A-Z]?[a-z]+          # Server, get
    | [A-Z]+                # ID in userID
    | [0-9]+                # 256 in sha256
    """,
    re.VERBOSE,
)
_WORD_BEYOND_ASCII = re.compile(r"[^\W\d_]+|\d+")
LONGEST = 64
"""Characters of the longest token: what is longer is data, not a name, and nobody types it."""


def code_tokens(text: str) -> list[str]:
    """Lower-cased tokens in order: each identifier, followed by its parts when it has more than one.

    ``getHTTPUser_id2`` gives ``gethttpuser_id2 get http user id 2``.
    """
    tokens: list[str] = []
    for identifier in _IDENTIFIER.findall(text):
        tokens.extend(_tokens(identifier))
    return tokens


@lru_cache(maxsize=65_536)
def _tokens(identifier: str) -> tuple[str, ...]:
    words = (_WORD if identifier.isascii() else _WORD_BEYOND_ASCII).findall(identifier)
    parts = tuple(word.lower() for word in words if len(word) <= LONGEST)
    if not words or len(identifier) > LONGEST or words == [identifier]:
        return parts
    return (identifier.lower(), *parts)
