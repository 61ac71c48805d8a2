from __future__ import annotations

import math
import string
import time
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.engine import Connection

from store import chunks, lexical, repos
from store.database import Database
from tests.integration.store.code import NOW, draft

ABUSE = [
    '"',
    '""',
    '" OR "',
    "basket*",
    "NEAR(basket empty, 3)",
    "text : basket",
    "-basket",
    "^basket",
    "basket AND",
    "AND OR NOT",
    "(((((",
    "{path symbol}: x",
    "'; DROP TABLE chunks; --",
    "basket\x00empty",
    "\ud800basket\udfff",
    "\u200b\u2028\ufeff",
    "%_\\",
    "😀 用户 ñandú",
    "basket " * 5_000,
    "(" * 8_192,
    " OR ".join(string.ascii_lowercase),
    "x" * 1_000_000,
]


def fill(tx: Connection, bodies: dict[str, str], repo: str = "shop") -> dict[str, int]:
    repos.add(tx, repo, "/code", NOW)
    ids = {}
    for symbol, body in bodies.items():
        path = f"{symbol}.py"
        ids[symbol] = chunks.replace_file(tx, repo, path, [draft(path, 1, symbol, body)], NOW).added[0]
    return ids


def test_parts_of_names_paths_and_symbols_are_found(db: Database) -> None:
    with db.write() as tx:
        ids = fill(tx, {"cart": "def emptyBasket(): ...", "Pay.run": "def pay_now(order): ..."})
        for query, symbol in {
            "empty basket": "cart",
            "emptyBasket": "cart",
            "pay": "Pay.run",
            "Run py": "Pay.run",
        }.items():
            assert lexical.search(tx, query, None, 1)[0][0] == ids[symbol], query
        assert lexical.search(tx, "nothing of it", None, 5) == []


def test_scores_are_bm25_as_the_formula_has_it(db: Database) -> None:
    bodies = {"a": "alpha beta gamma", "b": "alpha alpha delta", "c": "delta gamma", "d": "epsilon", "e": "zeta eta"}
    with db.write() as tx:
        ids = fill(tx, bodies)
        found = dict(lexical.search(tx, "alpha", None, 5))
    lengths = {name: len(body.split()) + 3 for name, body in bodies.items()}  # path: name, py; symbol: name
    mean = sum(lengths.values()) / len(lengths)
    idf = math.log((5 - 2 + 0.5) / (2 + 0.5))

    def bm25(times: int, name: str, k1: float = 1.2, b: float = 0.75) -> float:
        return idf * times * (k1 + 1) / (times + k1 * (1 - b + b * lengths[name] / mean))

    assert found == pytest.approx({ids["a"]: bm25(1, "a"), ids["b"]: bm25(2, "b")}, rel=1e-4)


def test_only_the_asked_repository_is_searched(db: Database) -> None:
    with db.write() as tx:
        shop = fill(tx, {"a": "alpha"}, "shop")
        bank = fill(tx, {"a": "alpha"}, "bank")
        assert {id_ for id_, _ in lexical.search(tx, "alpha", None, 5)} == {shop["a"], bank["a"]}
        assert [id_ for id_, _ in lexical.search(tx, "alpha", "bank", 5)] == [bank["a"]]
        assert lexical.search(tx, "alpha", "nobody", 5) == []


def test_equal_scores_come_in_the_order_of_ids_and_the_limit_holds(db: Database) -> None:
    with db.write() as tx:
        ids = fill(tx, {f"s{n}": "alpha" for n in range(6)} | {"x": "beta", "y": "beta"})
        found = lexical.search(tx, "alpha", None, 4)
        assert [id_ for id_, _ in found] == sorted(ids.values())[:4]
        assert all(score > 0 for _, score in lexical.search(tx, "beta", None, 4))
        assert lexical.search(tx, "alpha", None, 0) == []


@pytest.mark.parametrize("query", ABUSE, ids=lambda query: repr(query[:20]))
@pytest.mark.parametrize("repo", [None, "shop"])
def test_no_query_is_syntax(db: Database, query: str, repo: str | None) -> None:
    with db.write() as tx:
        fill(tx, {"a": "def empty_basket(): ...", "b": "NOT OR AND NEAR text path"})
    with db.read() as tx:
        for _, score in lexical.search(tx, query, repo, 10):
            assert score > 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(query=st.text())
def test_any_text_is_a_query(db: Database, query: str) -> None:
    with db.read() as tx:
        assert lexical.search(tx, query, None, 5) == []


def test_a_long_query_is_read_only_so_far(db: Database) -> None:
    names = ["".join(pair) for pair in product(string.ascii_lowercase, repeat=2)]
    with db.write() as tx:
        ids = fill(tx, {"first": names[0], "last": names[-1]})
        found = [id_ for id_, _ in lexical.search(tx, " ".join(names), None, 5)]
    assert found == [ids["first"]]


def matching(tx: Connection, tokens: list[str], limit: int) -> list[tuple[int, float]]:
    """What FTS5 itself finds for all of the tokens."""
    wanted = text("SELECT rowid, -rank FROM chunks_fts WHERE chunks_fts MATCH :m ORDER BY rank, rowid LIMIT :n")
    return [(row[0], row[1]) for row in tx.execute(wanted, {"m": " OR ".join(tokens), "n": limit})]


def test_a_query_of_common_words_costs_no_more_than_a_long_question(db: Database) -> None:
    size, kinds = 40_000, 30  # the k-th word is in every k-th chunk, the first one in all of them
    words = [f"w{'x' * k}" for k in range(1, kinds + 1)]
    bodies = (" ".join(word for k, word in enumerate(words, 1) if id_ % k == 0) for id_ in range(1, size + 1))
    with db.write() as tx:
        lexical.index(tx, ((id_, "", "", body) for id_, body in enumerate(bodies, 1)))
        assert sum(size // k for k in range(1, kinds + 1)) > lexical.POSTINGS
    with db.read() as tx:
        began = time.process_time()
        found = lexical.search(tx, '" OR ' + " ".join(words) + " NEAR((*", None, 100)
        assert time.process_time() - began < 5 * 0.2
        assert found == matching(tx, words[1:], 100), "the commonest is left out, all others stay"
        assert [id_ for id_, _ in found] == [id_ for id_, _ in matching(tx, words, 100)]
        question = words[:8]
        assert sum(size // k for k in range(1, 9)) < lexical.POSTINGS < size * len(question)
        assert lexical.search(tx, " ".join(question), None, 100) == matching(tx, question, 100)
        assert lexical.search(tx, words[0], None, 3) == matching(tx, words[:1], 3) != [], "alone it is searched"
