"""The answer without a language model: the best chunks, what and where they are, and a sentence or line of them."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence

from server.answering.lines import terms
from server.answering.nature import is_abstract, is_test, kind
from server.answering.quoting import quote
from server.answering.relevance import Fit, Question
from server.answering.sources import Source
from store.types import Candidate

GENERATOR = "extractive"
MAX_CITED = 3
_CLOSE = 0.6
"""A further chunk is cited when it keeps this share of the best one's lead over the median of those shown."""
_NOTHING = (
    "Nothing in the indexed code clearly matches this question. The closest places are listed as sources; "
    "other words, such as the name of a function or of a setting, may find it."
)


def write(
    query: str, sources: Sequence[Source], repo: str | None, candidates: Sequence[Candidate] = ()
) -> tuple[str, tuple[int, ...]]:
    """(Markdown, numbers of the cited sources). Cites nothing, and says so, where nothing matches.

    ``candidates``: everything that was found for the question, which tells common words from rare and unknown ones.
    """
    if not sources:
        where = f"the repository {code(repo)}" if repo else "the index"
        return f"There is nothing in {where} to answer from yet. An administrator can index code on the admin page.", ()
    question = Question(query, candidates or [source.candidate for source in sources])
    fits = {source.n: question.fit(source) for source in sources}
    cited = _worth_citing(query, sources, fits)
    if not cited:
        return _NOTHING, ()
    first, *others = cited
    if fits[first.n] is Fit.WEAK:
        hedge = "It may not be what you asked about."
        return f"The closest place found is {_place(first)} [{first.n}]. {hedge}{_said(first, query)}", (first.n,)
    lines = [f"The best match is {_place(first)} [{first.n}].{_said(first, query)}"]
    if others:
        lines += ["", "Also relevant:", ""]
        lines += [f"- {_place(source)} [{source.n}]{_briefly(source, query)}" for source in others]
    return "\n".join(lines), tuple(source.n for source in cited)


def code(text: str) -> str:
    """Inline Markdown code that shows ``text`` exactly, whatever it contains."""
    flat = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    space = " " if "`" in flat else ""
    return f"{fence}{space}{flat}{space}{fence}"


def _worth_citing(query: str, sources: Sequence[Source], fits: dict[int, Fit]) -> list[Source]:
    """What to cite, what to name first in front: something clear and concrete, else what ranks first."""
    related = [source for source in sources if fits[source.n] is not Fit.NONE]
    if not related:
        return []
    best = related[0].candidate.final_score
    median = statistics.median(source.candidate.final_score for source in sources)
    line = median + _CLOSE * (best - median)
    near = [source for source in related[1:] if source.candidate.final_score >= line and best > median]
    among = [related[0], *near]
    about_tests = bool({"test"} & terms(query))

    def merit(source: Source) -> tuple[bool, bool]:
        aside = is_abstract(source.chunk) or (is_test(source.chunk) and not about_tests)
        return fits[source.n] is Fit.CLEAR, not aside

    lead = max(among, key=merit)
    rest = [source for source in among if source is not lead and fits[source.n] is Fit.CLEAR]
    return [lead, *rest[: MAX_CITED - 1]]


def _place(source: Source) -> str:
    chunk = source.chunk
    lines = (
        f"line {chunk.start_line}"
        if chunk.start_line == chunk.end_line
        else f"lines {chunk.start_line}–{chunk.end_line}"
    )
    where = f"{code(chunk.path)}, {lines}"
    if not chunk.symbol:
        return where
    what = kind(chunk)
    return f"{f'the {what} ' if what else ''}{code(chunk.symbol)} in {where}"


def _said(source: Source, query: str) -> str:
    found = quote(source.chunk.text, source.matches, query)
    if found is None:
        return ""
    first, last = source.chunk.start_line + found.first, source.chunk.start_line + found.last
    lines = f"Line {first}" if first == last else f"Lines {first}–{last}"
    return f" {lines}:\n\n> {code(found.text)}"


def _briefly(source: Source, query: str) -> str:
    found = quote(source.chunk.text, source.matches, query)
    return f": {code(found.text)}" if found is not None else ""
