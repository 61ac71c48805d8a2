"""Checks on text that comes from people or from files, before it reaches SQL."""

from __future__ import annotations

from store.errors import InvalidInput


def clean(text: str, what: str, limit: int | None = None) -> str:
    """Return ``text`` unchanged when it can be stored as UTF-8.

    Raises InvalidInput, naming ``what``, for a NUL, a lone surrogate, or more than ``limit`` characters.
    """
    if limit is not None and len(text) > limit:
        raise InvalidInput(f"{what} has {len(text):,} characters; at most {limit:,} are allowed")
    if "\x00" in text:
        raise InvalidInput(f"{what} contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{what} contains a lone surrogate, which is not a character") from error
    return text
