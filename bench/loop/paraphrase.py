"""Another person's words for a query: a word dropped, neighbours swapped, words replaced. Seeded and pure."""

from __future__ import annotations

import random

REPLACEMENTS = {
    "array": "list",
    "build": "make",
    "calculate": "compute",
    "change": "modify",
    "check": "test",
    "compute": "calculate",
    "convert": "turn",
    "copy": "duplicate",
    "count": "number",
    "create": "make",
    "define": "declare",
    "delete": "remove",
    "determine": "find",
    "dict": "dictionary",
    "dictionary": "dict",
    "directory": "folder",
    "display": "show",
    "download": "fetch",
    "element": "item",
    "elements": "items",
    "execute": "run",
    "extract": "pull",
    "file": "document",
    "find": "locate",
    "folder": "directory",
    "function": "method",
    "generate": "create",
    "get": "fetch",
    "how": "way",
    "integer": "int",
    "invoke": "call",
    "item": "element",
    "items": "elements",
    "join": "combine",
    "list": "array",
    "load": "read",
    "make": "create",
    "merge": "combine",
    "method": "function",
    "number": "count",
    "open": "load",
    "parse": "read",
    "print": "output",
    "python": "py",
    "random": "arbitrary",
    "read": "load",
    "remove": "delete",
    "replace": "substitute",
    "return": "give",
    "run": "execute",
    "save": "store",
    "search": "find",
    "see": "check",
    "select": "choose",
    "set": "assign",
    "show": "display",
    "sort": "order",
    "split": "separate",
    "start": "begin",
    "stop": "end",
    "store": "save",
    "string": "text",
    "strings": "texts",
    "test": "check",
    "text": "string",
    "value": "entry",
    "values": "entries",
    "variable": "name",
    "write": "save",
}
"""Words that people use for each other. Some fit badly in places: so do people's."""
MOST_REPLACED = 2
FEWEST_WORDS = 3
"""Shorter queries lose no word."""


def paraphrase(query: str, seed: int) -> str:
    """Up to two words replaced, one dropped and two neighbours swapped; never the query itself unless it is one word.

    The same query and seed give the same paraphrase.
    """
    rng = random.Random(f"{seed}:paraphrase:{query}")
    words = query.split()
    replaceable = [place for place, word in enumerate(words) if word in REPLACEMENTS]
    for place in rng.sample(replaceable, min(MOST_REPLACED, len(replaceable))):
        words[place] = REPLACEMENTS[words[place]]
    if len(words) > FEWEST_WORDS:
        del words[rng.randrange(len(words))]
    if len(words) > 1:
        place = rng.randrange(len(words) - 1)
        words[place], words[place + 1] = words[place + 1], words[place]
    said = " ".join(words)
    return said if said != query or len(words) < 2 else " ".join(reversed(words))
