"""Pure parts of answering: matching lines, the extractive answer, follow-ups, citations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.answering import extractive
from server.answering.citations import CitationFilter
from server.answering.lines import matching_lines, rarity, terms
from server.answering.pipeline import title
from server.answering.rewrite import search_query
from server.answering.sources import Source, sources_of
from store.types import Candidate, Chunk

TEXT = '''def load_config(path):
    """Read the configuration from a json file."""
    with open(path) as file:
        return json.load(file)
'''


def candidate(
    number: int, text: str = TEXT, final: float = 1.0, dense: float = 0.5, symbol: str = "f", path: str = "a.py"
) -> Candidate:
    chunk = Chunk(number, "shop", path, 10, 10 + text.count("\n"), symbol, "python", f"h{number}", text)
    return Candidate(chunk, dense, 0.0, dense, number, None, final, number)


def shown(*candidates: Candidate, query: str = "Where is the configuration read?") -> tuple[Source, ...]:
    return sources_of(query, candidates)


def test_the_docstring_beats_the_code_that_shares_the_same_words() -> None:
    lines = matching_lines("open a file", 'x = open(file)\n"""open file"""\n', {})
    assert [line.number for line in lines] == [1, 0]


def test_words_that_say_nothing_match_nothing() -> None:
    assert matching_lines("what is this for", "what is this for", {}) == []


def test_rare_words_weigh_more() -> None:
    weights = rarity(["file alpha", "file", "file"])
    best = matching_lines("file alpha", "file\nalpha\n", weights)[0]
    assert best.text == "alpha"


def test_stems_meet() -> None:
    assert terms("queries caching") == terms("query cached") == {"quer", "cach"} or terms("caching") == terms("cached")


@given(st.text(max_size=200), st.text(max_size=400))
def test_matching_lines_take_any_text(query: str, text: str) -> None:
    lines = text.splitlines()
    assert all(lines[match.number].strip() == match.text for match in matching_lines(query, text, {}))


def test_the_answer_names_place_and_line() -> None:
    answer, cited = extractive.write(
        "Where is the configuration read?", shown(candidate(1, symbol="load_config")), None
    )
    assert cited == (1,)
    assert answer == (
        "The best match is the function `load_config` in `a.py`, lines 10–14 [1]. Line 11:\n\n"
        "> `Read the configuration from a json file.`"
    )


def test_nothing_related_is_admitted_and_not_cited() -> None:
    answer, cited = extractive.write("quantum entanglement", shown(candidate(1, dense=0.05)), None)
    assert cited == ()
    assert "Nothing in the indexed code clearly matches" in answer


def test_only_close_ones_are_cited_beside_the_best() -> None:
    scores = [1.0, 0.95, 0.2, 0.1, 0.1]
    sources = shown(*(candidate(n, final=score) for n, score in enumerate(scores, 1)))
    assert extractive.write("configuration", sources, None)[1] == (1, 2)


def test_equal_scores_cite_one() -> None:
    sources = shown(*(candidate(n) for n in range(1, 5)))
    assert extractive.write("configuration", sources, None)[1] == (1,)


@pytest.mark.parametrize("name", ["a`b.py", "``x``", "line\nbreak", "<b>.py", "[1](javascript:x)"])
def test_names_are_shown_as_code_whatever_they_contain(name: str) -> None:
    fenced = extractive.code(name)
    fence = fenced[: len(fenced) - len(fenced.lstrip("`"))]
    inside = fenced[len(fence) : -len(fence)]
    assert fence not in inside
    assert "\n" not in fenced
    assert inside.strip() == " ".join(name.split())


@pytest.mark.parametrize(
    ("message", "earlier", "query"),
    [
        ("Where is the cache?", [], "Where is the cache?"),
        (
            "and where is it tested?",
            ["Where is the cache filled?"],
            "Where is the cache filled?\nand where is it tested?",
        ),
        ("Why?", ["Where is the cache filled?"], "Where is the cache filled?\nWhy?"),
        (
            "How does login check a password?",
            ["Where is the cache filled?"],
            "How does login check a password?",
        ),
        (
            "and who calls that?",
            ["Where is login checked for users?", "Where is the cache filled?", "and when is it emptied?"],
            "Where is the cache filled?\nand when is it emptied?\nand who calls that?",
        ),
        ("why?", ["and?", "but how?"], "but how?\nwhy?"),
    ],
)
def test_follow_ups_are_completed(message: str, earlier: list[str], query: str) -> None:
    assert search_query(message, earlier) == query


@pytest.mark.parametrize(
    ("text", "sources", "shown", "cited"),
    [
        ("Here [1].", 2, "Here [1].", (1,)),
        ("Here [3].", 2, "Here .", ()),
        ("Both [1, 2] and [2][1].", 2, "Both [1][2] and [2][1].", (1, 2)),
        ("Some [1, 9].", 2, "Some [1].", (1,)),
        ("`items[9]` and items[9]", 2, "`items[9]` and items[9]", ()),
        ("there[1]", 2, "there[1]", (1,)),
        ("a [link](x) and []", 2, "a [link](x) and []", ()),
        ("open [", 2, "open [", ()),
        ("[[1]]", 2, "[[1]]", (1,)),
        ("[0]", 2, "", ()),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_citations_are_checked_however_the_text_is_cut(
    text: str, sources: int, shown: str, cited: tuple[int, ...], size: int
) -> None:
    checked = CitationFilter(sources)
    pieces = [checked.feed(text[start : start + size]) for start in range(0, len(text), size)]
    assert "".join(pieces) + checked.end() == shown
    assert checked.cited == cited


@given(st.text(alphabet="[]0123456789, `ab(", max_size=60), st.integers(0, 3))
def test_no_citation_beyond_the_sources_is_ever_counted(text: str, sources: int) -> None:
    checked = CitationFilter(sources)
    checked.feed(text)
    checked.end()
    assert all(1 <= number <= sources for number in checked.cited)


def test_a_title_is_one_short_line() -> None:
    assert title("one\n two") == "one two"
    assert len(title("word " * 100)) <= 80
