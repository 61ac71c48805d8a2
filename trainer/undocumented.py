"""Code without what it says about itself: docstrings and comments taken out, whatever the language. Pure."""

from __future__ import annotations

import re

_DOCSTRING = re.compile(r"[rRuUbB]{0,2}(\"\"\"|''')[\s\S]*?\1")
_BLOCK = re.compile(r"/\*[\s\S]*?\*/|<!--[\s\S]*?-->|^=begin[\s\S]*?^=end", re.MULTILINE)
_LINE = re.compile(r"^[ \t]*(?://|--|#(?!include|define|if|endif|else|elif|pragma|undef|error|!|\[)).*$", re.MULTILINE)
_EMPTY = re.compile(r"\n(?:[ \t]*\n)+")


def undocumented(text: str) -> str:
    """The text without docstrings, block comments and whole-line comments; blank lines closed up.

    A triple-quoted string that is data goes too: for training it matters only that all candidates are treated alike.
    """
    for found in (_DOCSTRING, _BLOCK, _LINE):
        text = found.sub("", text)
    return _EMPTY.sub("\n", text).strip("\n")
