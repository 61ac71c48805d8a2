"""Code-aware tokens for lexical search: whole identifiers and the words inside them. Pure."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(r"\w+")
_WORD = re.compile(
    r"""
    [A-Z]+(?=[A-Z][a-z])    # HTTP in HTTPServer
    | [A-Z]?[a-z]+          # Server, get
    | [A-Z]+                # ID in userID
    | [0-9]+                # 256 in sha256
    | [^\W_A-Za-z0-9]+      # letters beyond ASCII, which carry no camel case we could trust
    """,
    re.VERBOSE,
)
LONGEST = 64
"""Characters of the longest token: what is longer is data, not a name, and nobody types it."""


def code_tokens(text: str) -> list[str]:
    """Lower-cased tokens in order: each identifier, followed by its parts when it has more than one.

    ``getHTTPUser_id2`` gives ``gethttpuser_id2 get http user id 2``.
    """
    tokens: list[str] = []
    for match in _IDENTIFIER.finditer(text):
        identifier = match.group()
        words = _WORD.findall(identifier)
        if not words:
            continue
        if len(identifier) <= LONGEST:
            tokens.append(identifier.lower())
            if len(words) == 1 and words[0] == identifier:
                continue
        tokens.extend(word.lower() for word in words if len(word) <= LONGEST)
    return tokens
