"""What an answer is written from: the shown chunks, numbered, each with the lines that match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.answering.lines import Match, matching_lines, rarity
from store.types import Candidate, Chunk


@dataclass(frozen=True, slots=True)
class Source:
    """A shown candidate. ``n`` is what citations refer to, from 1; ``matches`` best first."""

    n: int
    candidate: Candidate
    matches: tuple[Match, ...]

    @property
    def chunk(self) -> Chunk:
        return self.candidate.chunk

    @property
    def line_numbers(self) -> list[int]:
        """Numbers in the file of the matching lines."""
        return [self.chunk.start_line + match.number for match in self.matches]


def sources_of(query: str, shown: Sequence[Candidate]) -> tuple[Source, ...]:
    """Number the shown candidates and find their matching lines."""
    weights = rarity([candidate.chunk.text for candidate in shown])
    return tuple(
        Source(n, candidate, tuple(matching_lines(query, candidate.chunk.text, weights)))
        for n, candidate in enumerate(shown, 1)
    )
