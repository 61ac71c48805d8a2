"""What an answer without a language model says, quotes and cites, and how sure it sounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.answering import extractive
from server.answering.lines import matching_lines
from server.answering.nature import is_abstract, is_test, kind
from server.answering.quoting import quote
from server.answering.relevance import Fit, Question
from server.answering.sources import sources_of
from store.types import Candidate, Chunk

LONG_DOCSTRING = '''def validate_methods(self):
    """OPTIONAL.  JSON array containing a list of Proof Key for Code
    Exchange (PKCE) challenge methods supported by this server.  The
    registry of methods e.g. S256 is elsewhere. If omitted, the server
    does not support it.

    :param methods: the challenge methods
        that are checked.
    """
    methods = self.get("methods")
'''
ABSTRACT = '''def check_redirect_uri(self, redirect_uri):
    """Validate the redirect URI of a client.

    :return: bool
    """
    raise NotImplementedError()
'''
CONCRETE = '''def check_redirect_uri(self, redirect_uri):
    """Validate the redirect URI of a client against those registered."""
    return redirect_uri in self.redirect_uris
'''
TESTED = '''def test_redirect_uri():
    """Validate the redirect URI of a client."""
    assert Client().check_redirect_uri("https://a.example/")
'''
RETRY_PROSE = '''class InvalidToken(Error):
    """The token has expired or was taken back. It is of no use.

    The client MAY request a new one and retry the HTTP request.
    """
'''


def found(
    number: int,
    text: str,
    symbol: str = "",
    *,
    path: str = "a.py",
    dense: float = 0.3,
    final: float = 1.0,
    first_stage: int | None = None,
    logit: float | None = None,
) -> Candidate:
    chunk = Chunk(number, "shop", path, 10, 9 + text.count("\n"), symbol, "python", f"h{number}", text)
    return Candidate(chunk, dense, 0.0, dense, first_stage or number, logit, final, number)


def answer(query: str, *candidates: Candidate) -> tuple[str, tuple[int, ...]]:
    return extractive.write(query, sources_of(query, candidates), None, candidates)


def quoted(query: str, text: str) -> str | None:
    one = quote(text, matching_lines(query, text, {}), query)
    return one.text if one is not None else None


def test_a_whole_sentence_is_quoted_with_the_lines_it_stands_on() -> None:
    said, _ = answer("PKCE challenge methods supported", found(1, LONG_DOCSTRING, "Server.validate_methods"))
    assert said == (
        "The best match is the method `Server.validate_methods` in `a.py`, lines 10–19 [1]. Lines 11–12:\n\n"
        "> `JSON array containing a list of Proof Key for Code Exchange (PKCE) challenge methods supported by this "
        "server.`"
    )


def test_an_abbreviation_ends_no_sentence() -> None:
    assert quoted("registry S256", LONG_DOCSTRING) == "The registry of methods e.g. S256 is elsewhere."


def test_a_field_is_quoted_to_its_end() -> None:
    assert quoted("param checked", LONG_DOCSTRING) == ":param methods: the challenge methods that are checked."


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("x = 1\n# Retry twice, then\n# give up.\ny = 2\n", "give up", "Retry twice, then give up."),
        ("/**\n * Parses the cookie\n * header.\n */\nfunction parse() {}\n", "cookie", "Parses the cookie header."),
        ("#: Allowed methods of this endpoint\nMETHODS = []\n", "allowed", "Allowed methods of this endpoint"),
        ('limit = settings["limit"]  # per minute\n', "limit", 'limit = settings["limit"]  # per minute'),
        ('SQL = """select cookie\nfrom jar"""\n', "cookie", None),
        ("# " + "cookie " * 60 + ".\n", "cookie", None),
        (f"cookie = {'x' * 400}\n", "cookie", None),
    ],
    ids=["comment", "block comment", "attribute comment", "code", "data", "endless sentence", "endless line"],
)
def test_nothing_is_quoted_in_part(text: str, query: str, expected: str | None) -> None:
    assert quoted(query, text) == expected


def test_a_docstring_that_the_chunk_cuts_off_is_quoted_without_its_last_paragraph() -> None:
    text = 'def f():\n    """Read the cookie.\n\n    The jar is read too when the\n'
    assert quoted("cookie", text) == "Read the cookie."
    assert quoted("jar", text) is None


def test_a_docstring_that_began_in_another_chunk_is_not_quoted() -> None:
    assert quoted("cookie", '    is then read from the cookie.\n    """\n    return 1\n') is None


def test_the_first_sentence_stands_for_a_signature() -> None:
    text = 'def read_jar(path):\n    """Open what was kept at last."""\n    return path\n'
    assert quoted("read jar", text) == "Open what was kept at last."
    assert quoted("read jar", "def read_jar(path):\n    return 1\n") == "def read_jar(path):"


@given(st.text(alphabet="ab cd.\n\"'#*/:-\t", max_size=300), st.sampled_from(["ab", "cd", "ab cd"]))
def test_any_text_can_be_quoted_from(text: str, query: str) -> None:
    one = quote(text, matching_lines(query, text, {}), query)
    if one is not None:
        assert 0 <= one.first <= one.last < len(text.splitlines())


def test_what_is_not_in_the_code_is_not_answered() -> None:
    port = found(1, 'def default_port(url):\n    """The default port of a project\'s URL."""\n', "default_port")
    said, cited = answer("What is the default port of PostgreSQL in this project?", port)
    assert said.startswith("Nothing in the indexed code clearly matches")
    assert cited == ()
    assert answer("What is the default port of a URL in this project?", port)[1] == (1,)


def test_a_german_noun_is_no_name_for_its_capital() -> None:
    login = found(1, "def check_login(user):\n    return user.verified\n", "check_login", dense=0.55)
    said, cited = answer("Wie wird das Kennwort beim Login gepr\u00fcft?", login)
    assert said.startswith("The closest place found is")
    assert cited == (1,)
    said, cited = answer("How is the Kennwort checked at login?", login)
    assert said.startswith("Nothing in the indexed code clearly matches")
    assert cited == ()


def test_one_word_of_several_in_a_name_is_not_enough() -> None:
    other = found(1, "def retry_later(job):\n    return job\n", "retry_later")
    said, cited = answer("Is there a retry with growing pauses in the upload of pictures?", other)
    assert said.startswith("Nothing in the indexed code clearly matches")
    assert cited == ()


def test_words_that_stand_far_apart_are_a_weak_match() -> None:
    weak = found(1, RETRY_PROSE, "InvalidToken")
    said, cited = answer("Is there a retry in the HTTP client?", weak, found(2, CONCRETE, "check", dense=0.1))
    assert said == (
        "The closest place found is the class `InvalidToken` in `a.py`, lines 10–14 [1]. "
        "It may not be what you asked about. Line 13:\n\n"
        "> `The client MAY request a new one and retry the HTTP request.`"
    )
    assert cited == (1,)


def test_rare_words_count_more_than_those_that_every_candidate_has() -> None:
    common = [found(n, f"def token_{n}(token):\n    return token\n", f"token_{n}") for n in range(1, 9)]
    rare = found(9, "def widget():\n    return 1\n", "widget")
    question = Question("token widget", [*common, rare])
    assert question.share(rare.chunk) > question.share(common[0].chunk)
    alone = Question("token widget", [])
    assert alone.share(rare.chunk) == alone.share(common[0].chunk) == 0.5


@pytest.mark.parametrize("aside", [found(1, ABSTRACT, "Base.check"), found(1, TESTED, "t", path="tests/test_uri.py")])
def test_abstract_methods_and_tests_are_not_the_best_match_beside_a_concrete_one(aside: Candidate) -> None:
    concrete = found(2, CONCRETE, "Client.check_redirect_uri", final=0.95)
    far = [found(n, "x = 1\n", final=0.1, dense=0.1) for n in (3, 4, 5)]
    said, cited = answer("Where is the redirect URI validated?", aside, concrete, *far)
    assert said.startswith("The best match is the method `Client.check_redirect_uri`")
    assert cited == (2, 1)


def test_a_test_is_the_best_match_of_a_question_about_tests() -> None:
    test = found(1, TESTED, "test_redirect_uri", path="tests/test_uri.py")
    concrete = found(2, CONCRETE, "Client.check_redirect_uri", final=0.95)
    far = [found(n, "x = 1\n", final=0.1, dense=0.1) for n in (3, 4, 5)]
    said, _ = answer("Where is the redirect URI tested?", test, concrete, *far)
    assert said.startswith("The best match is the function `test_redirect_uri`")


def test_what_ratings_have_brought_up_is_named_though_no_word_says_it() -> None:
    taught = found(1, CONCRETE, "check", dense=0.3, first_stage=9, logit=4.0)
    assert answer("Where does Kraken live?", taught)[1] == (1,)
    assert answer("Where does Kraken live?", found(1, CONCRETE, "check", dense=0.3))[1] == ()


def test_near_by_meaning_alone_is_a_weak_match() -> None:
    near = found(1, CONCRETE, "check", dense=0.6)
    [source] = sources_of("permitted callback addresses", [near])
    assert Question("permitted callback addresses", [near]).fit(source) is Fit.WEAK


@pytest.mark.parametrize(
    ("text", "symbol", "expected"),
    [
        ("class A(B):\n    pass\n", "A", "class"),
        ("@cached\nasync def f():\n    pass\n", "f", "function"),
        ("    def f(self):\n        pass\n", "A.f", "method"),
        ("export function go() {}\n", "go", "function"),
        ("pub struct Jar {}\n", "Jar", "struct"),
        ("class A:\n    pass\nclass B:\n    pass\n", "A, B", ""),
        ("x = 1\n", "x", ""),
    ],
)
def test_a_place_says_what_it_is(text: str, symbol: str, expected: str) -> None:
    assert kind(found(1, text, symbol).chunk) == expected


@pytest.mark.parametrize(
    ("text", "abstract"),
    [
        (ABSTRACT, True),
        (CONCRETE, False),
        ("@abstractmethod\ndef f(\n    self,\n) -> int:\n    ...\n", True),
        ("def f(self):\n    pass\n", False),
        ("def f(self):\n    if self.a:\n        return 1\n    raise NotImplementedError\n", False),
        ("raise NotImplementedError\n", False),
    ],
)
def test_only_what_leaves_all_work_to_others_is_abstract(text: str, abstract: bool) -> None:
    assert is_abstract(found(1, text).chunk) == abstract


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("tests/unit/a.py", True),
        ("pkg/test_a.py", True),
        ("a_test.go", True),
        ("src/a.spec.ts", True),
        ("pkg/testing_tools.py", False),
        ("pkg/latest/a.py", False),
        ("contest.py", False),
    ],
)
def test_tests_are_told_by_their_path(path: str, test: bool) -> None:
    assert is_test(found(1, "", path=path).chunk) == test
