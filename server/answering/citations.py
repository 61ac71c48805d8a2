"""Citations [n] in a text that arrives in pieces: kept where they name a source, dropped where they don't. Pure."""

from __future__ import annotations

import re

_HOLDABLE = re.compile(r"\[[\d, ]*")
_LONGEST = 40


class CitationFilter:
    """Feed it pieces of Markdown; what it gives back has only citations of 1 to ``sources``.

    Inside code nothing is touched, and an index such as ``items[0]`` is not a citation.
    """

    def __init__(self, sources: int) -> None:
        self._sources = sources
        self._held = ""
        self._before = ""
        self._in_code = False
        self._cited: list[int] = []

    @property
    def cited(self) -> tuple[int, ...]:
        """The numbers cited so far, in order of appearance."""
        return tuple(dict.fromkeys(self._cited))

    def feed(self, piece: str) -> str:
        """The text that can be shown now."""
        return "".join(self._take(character) for character in piece)

    def end(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return held

    def _take(self, character: str) -> str:
        if self._held:
            return self._hold(character)
        if character == "`":
            # Runs of backticks open and close code; an odd one inside a longer fence only delays a check.
            self._in_code = not self._in_code
        if character == "[" and not self._in_code:
            self._held = character
            return ""
        self._before = character
        return character

    def _hold(self, character: str) -> str:
        held = self._held + character
        if character == "]":
            self._held = ""
            return self._resolve(held)
        if _HOLDABLE.fullmatch(held) and len(held) <= _LONGEST:
            self._held = held
            return ""
        self._held = ""
        self._before = held[-2]
        return held[:-1] + self._take(character)

    def _resolve(self, bracket: str) -> str:
        numbers = [int(part) for part in re.findall(r"\d+", bracket)]
        valid = [number for number in numbers if 1 <= number <= self._sources]
        index_like = self._before.isalnum() or self._before in ("_", ")")
        if not numbers or (index_like and not valid):
            self._before = "]"
            return bracket
        self._cited.extend(valid)
        return "".join(f"[{number}]" for number in valid)
