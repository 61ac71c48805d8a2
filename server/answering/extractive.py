"""The answer without a language model: the best chunks, where they are, and the line that says why."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence

from server.answering.lines import Match, terms
from server.answering.sources import Source

GENERATOR = "extractive"
MAX_CITED = 3
_CLOSE = 0.6
"""A further chunk is cited when it keeps this share of the best one's lead over the median of those shown."""
_RELATED = 0.25
"""Cosine below which a chunk without any shared word is taken to be about something else."""
_QUOTE = 160
_MARKS = re.compile(r"""^(\"{3}|'{3}|\#+|/{2,}|/?\*+|--|<!--)\s*|\s*(\"{3}|'{3}|\*/|-->)$""")
"""What makes a line a comment or docstring, which a quotation does without."""


def write(query: str, sources: Sequence[Source], repo: str | None) -> tuple[str, tuple[int, ...]]:
    """(Markdown, numbers of the cited sources). Cites nothing, and says so, where nothing matches."""
    if not sources:
        where = f"the repository {code(repo)}" if repo else "the index"
        return f"There is nothing in {where} to answer from yet. An administrator can index code on the admin page.", ()
    cited = _worth_citing(query, sources)
    if not cited:
        return (
            "Nothing in the indexed code clearly matches this question. The closest places are listed as sources; "
            "other words, such as the name of a function or of a setting, may find it.",
            (),
        )
    first, *others = cited
    lines = [f"The best match is {_place(first)} [{first.n}]{_reason(first)}"]
    if others:
        lines += ["", "Also relevant:", ""]
        lines += [f"- {_place(source)} [{source.n}]{_reason(source, inline=True)}" for source in others]
    return "\n".join(lines), tuple(source.n for source in cited)


def code(text: str) -> str:
    """Inline Markdown code that shows ``text`` exactly, whatever it contains."""
    flat = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    space = " " if "`" in flat else ""
    return f"{fence}{space}{flat}{space}{fence}"


def _worth_citing(query: str, sources: Sequence[Source]) -> list[Source]:
    wanted = terms(query)
    related = [source for source in sources if _is_related(source, wanted)]
    if not related:
        return []
    best = related[0].candidate.final_score
    median = statistics.median(source.candidate.final_score for source in sources)
    line = median + _CLOSE * (best - median)
    close = [source for source in related[1:] if source.candidate.final_score >= line and best > median]
    return [related[0], *close[: MAX_CITED - 1]]


def _is_related(source: Source, wanted: set[str]) -> bool:
    """Near by meaning, or sharing a real part of the question's words."""
    candidate = source.candidate
    if candidate.dense_score >= _RELATED:
        return True
    shared = wanted & terms(f"{source.chunk.path} {source.chunk.symbol} {source.chunk.text}")
    return len(shared) * 2 > len(wanted) or any(term in wanted for term in terms(source.chunk.symbol))


def _place(source: Source) -> str:
    chunk = source.chunk
    lines = (
        f"line {chunk.start_line}"
        if chunk.start_line == chunk.end_line
        else f"lines {chunk.start_line}–{chunk.end_line}"
    )
    where = f"{code(chunk.path)}, {lines}"
    return f"{code(chunk.symbol)} in {where}" if chunk.symbol else where


def _reason(source: Source, inline: bool = False) -> str:
    match = _telling(source.matches)
    if match is None:
        return "." if not inline else ""
    said = (_MARKS.sub("", match.text) if match.prose else match.text) or match.text
    quote = said if len(said) <= _QUOTE else said[: _QUOTE - 1] + "…"
    number = source.chunk.start_line + match.number
    if inline:
        return f": {code(quote)}"
    return f". Line {number} says why:\n\n> {code(quote)}"


def _telling(matches: Sequence[Match]) -> Match | None:
    """The best match with letters in it: a lone bracket or quote explains nothing."""
    return next((match for match in matches if any(character.isalpha() for character in match.text)), None)
