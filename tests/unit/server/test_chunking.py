"""Chunks cover a file exactly, are named after what they hold, and are cut at definitions."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.indexing.chunking import CAPACITY, WHOLE, chunk_file, normalise
from server.indexing.lines import Lines
from store.types import ChunkDraft

SAMPLES = Path(__file__).parent / "samples"
ROOT = Path(__file__).resolve().parents[3]

EXPECTED: dict[str, tuple[str, set[str]]] = {
    "shop.js": ("javascript", {"exports.load", "retry"}),
    "shop.ts": ("typescript", {"Shape", "area", "Circle"}),
    "shop.tsx": ("typescript", {"Props", "AnswerList", "Store", "Vote", 'describe "store"'}),
    "shop.java": ("java", {"PriceService"}),
    "shop.go": ("go", {"Queue", "New", "Queue.Push", "Queue.Len"}),
    "shop.rs": ("rust", {"Cache", "tests::puts"}),
    "shop.c": ("c", {"node_t", "append", "main"}),
    "shop.cpp": ("cpp", {"geo::Point", "geo::Polygon", "geo::Polygon::describe", "find_first"}),
    "shop.cs": ("csharp", {"Shop.Orders.OrderStore", "Shop.Orders.State"}),
    "shop.rb": ("ruby", {"Billing.Mailer"}),
    "shop.php": ("php", {"UserController", "helper"}),
    "shop.html": ("html", {"div#main"}),
    "shop.css": ("css", {".btn, .button"}),
    "shop.sh": ("bash", {"die", "backup"}),
    "shop.json": ("json", {"name", "scripts"}),
    "shop.yaml": ("yaml", {"services", "volumes"}),
    "shop.sql": ("sql", {"customers", "good_customers"}),
    "shop.md": ("markdown", {"Guide > Install", "Guide > Use"}),
}

PYTHON = '''"""Module."""
import json


class Store:
    """Keeps values in a file."""

    def __init__(self, path):
        self.path = path

    @property
    def values(self):
        """Reads all values back from the file."""
        with open(self.path) as file:
            values = json.load(file)
        if not isinstance(values, dict):
            raise ValueError(f"{self.path} holds no object but {type(values).__name__}")
        return {str(key): value for key, value in values.items() if value is not None}

    # Written beside and renamed.
    def save(self, values):
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps(values, sort_keys=True, indent=2, ensure_ascii=False))
        with open(temporary) as file:
            assert json.load(file) == values, "what was written is not what was meant to be written"
        temporary.replace(self.path)
        print(f"{len(values)} values saved in {self.path}, {temporary} is gone", flush=True)
        for listener in self.listeners:
            listener(self.path, sorted(values), "saved", time.time(), os.getpid(), threading.get_ident())
        self.history.append((time.time(), len(values), sorted(values)[:10], hash(tuple(values.items()))))


# Tries again when it fails.
@decorator(
    times=3,
)
def retry(function, times):
    for attempt in range(times):
        try:
            return function()
        except OSError as error:
            print(f"attempt {attempt + 1} of {times} failed: {error}; trying again in a moment")
'''


def covered(drafts: list[ChunkDraft]) -> list[int]:
    return [line for draft in drafts for line in range(draft.start_line, draft.end_line + 1)]


def check(path: str, text: str) -> list[ChunkDraft]:
    """What holds for the chunks of any file."""
    drafts = chunk_file(path, text)
    lines = normalise(text).split("\n")
    filled = {number for number, line in enumerate(lines, 1) if line.strip()}
    spans = covered(drafts)
    assert spans == sorted(set(spans)), "chunks are in order and share no line"
    assert filled <= set(spans) <= set(range(1, len(lines) + 1)), "every line that is not blank is in a chunk"
    for draft in drafts:
        assert draft.text == "\n".join(lines[draft.start_line - 1 : draft.end_line])
        assert draft.content_hash == sha256(draft.text.encode()).hexdigest()
        assert lines[draft.start_line - 1].strip()
        assert lines[draft.end_line - 1].strip()
    return drafts


@pytest.mark.parametrize("name", EXPECTED)
def test_each_language_is_parsed_and_its_definitions_named(name: str) -> None:
    language, symbols = EXPECTED[name]
    drafts = check(name, (SAMPLES / name).read_text())
    assert {draft.language for draft in drafts} == {language}
    found = ", ".join(draft.symbol for draft in drafts)
    for symbol in symbols:
        assert f", {symbol}," in f", {found},", f"{symbol} is not among {found}"


def test_methods_and_functions_keep_comments_and_decorators() -> None:
    drafts = check("store.py", PYTHON)
    by_symbol = {draft.symbol: draft.text for draft in drafts}
    assert list(by_symbol) == ["Store", "Store.save", "retry"]
    assert by_symbol["Store.save"].startswith("    # Written beside")
    assert by_symbol["retry"].startswith("# Tries again")
    assert by_symbol["retry"].endswith('moment")')
    assert "    @property\n    def values" in by_symbol["Store"]


def test_a_long_function_is_cut_into_even_pieces_that_bear_its_name() -> None:
    body = "".join(f"    if value == {n}:\n        return compute(value, {n})\n" for n in range(120))
    drafts = check("long.py", f"def choose(value):\n{body}\n\ndef other():\n    return {list(range(60))}\n")
    pieces = [draft for draft in drafts if draft.symbol == "choose"]
    sizes = [Lines(draft.text).size(0, draft.text.count("\n")) for draft in pieces]
    assert len(pieces) > 3
    assert max(sizes) <= WHOLE
    assert min(sizes) > CAPACITY / 2
    assert all(draft.text.lstrip().startswith(("def", "if")) for draft in pieces), "cut between statements"


def sizes_of(drafts: list[ChunkDraft]) -> list[float]:
    return [Lines(draft.text).size(0, draft.text.count("\n")) for draft in drafts]


def test_a_function_above_capacity_becomes_two_even_pieces() -> None:
    body = "".join(
        f"    found_{n} = look_up(table, key_{n})\n    if found_{n} is None:\n        raise Missing(key_{n})\n"
        for n in range(10)
    )
    text = f'def put(\n    tx, answer, actor\n):\n    """Rate an answer.\n\n    Absent fields stay.\n    """\n{body}'
    drafts = check("put.py", text)
    assert WHOLE < sum(sizes_of(drafts)) < 2 * CAPACITY
    assert [draft.symbol for draft in drafts] == ["put", "put"]
    assert min(sizes_of(drafts)) > 0.7 * max(sizes_of(drafts))
    assert "found_0" in drafts[0].text, "signature and docstring stay with the first statements"


def test_what_is_local_to_a_function_neither_splits_off_nor_names_a_piece() -> None:
    said = "    said = (\n        first,\n        second,\n        third,\n    )\n"
    inner = "    def inner(value):\n        return value + 1\n\n"
    body = "".join(f"    total = add(total, compute(value, {n}), inner(value))\n" for n in range(14))
    drafts = check("outer.py", f"def outer(value):\n{inner}{body}{said}{body}    return said\n")
    assert {draft.symbol for draft in drafts} == {"outer"}
    assert min(sizes_of(drafts)) >= CAPACITY / 3


def test_a_big_function_inside_another_names_its_pieces() -> None:
    body = "".join(f"        total = add(total, compute(value, {n}))\n" for n in range(60))
    drafts = check(
        "outer.py", f"def outer(value):\n    def inner(total):\n{body}        return total\n    return inner\n"
    )
    assert drafts[0].symbol == "outer"
    assert {draft.symbol for draft in drafts[1:-1]} == {"outer.inner"}


def test_small_neighbours_share_a_chunk() -> None:
    text = "\n\n".join(f"def is_{n}(value):\n    return value == {n}\n" for n in range(4))
    assert [draft.symbol for draft in check("small.py", text)] == ["is_0, is_1, is_2, …"]


def test_a_name_that_begins_like_another_is_not_lost() -> None:
    text = "def sync(path):\n    return path\n\n\ndef sync_tree(path):\n    return path\n"
    assert [draft.symbol for draft in check("sync.py", text)] == ["sync, sync_tree"]


def test_a_constant_keeps_the_text_below_it() -> None:
    table = "".join(f"    {n}: compute(value, {n}),\n" for n in range(25))
    after = "".join(f"    value = step(value, {n})\n" for n in range(25))
    drafts = check("table.py", f'TABLE = {{\n{table}}}\n"""What each does."""\n\n\ndef run(value):\n{after}')
    assert drafts[0].symbol == "TABLE"
    assert drafts[0].text.endswith('does."""')


def test_a_definition_that_fits_is_never_cut() -> None:
    text = "\n\n".join(f"def f{n}(a, b):\n" + "    a = step(a, b)\n" * 20 + "    return a" for n in range(5))
    assert [draft.symbol for draft in check("f.py", text)] == [f"f{n}" for n in range(5)]


def test_chunks_of_this_repository_fit_the_encoder() -> None:
    sizes = [
        Lines(draft.text).size(0, draft.text.count("\n"))
        for file in sorted((ROOT / "store").glob("*.py"))
        for draft in check(file.name, file.read_text())
    ]
    assert max(sizes) <= WHOLE
    assert sum(size <= 1.1 * CAPACITY for size in sizes) / len(sizes) > 0.85
    assert sum(size < 60 for size in sizes) / len(sizes) < 0.06


@pytest.mark.parametrize(
    "name",
    ["Makefile", "Dockerfile", "conf.toml", "notes.txt", "setup.cfg", "App.kt", "run", "code.unknown", "data.csv"],
)
def test_files_without_a_grammar_go_through_windows(name: str) -> None:
    text = "\n\n".join("\n".join(f"key_{n}_{m} = value {m}" for m in range(8)) for n in range(20))
    drafts = check(name, text)
    assert len(drafts) > 1
    assert all(Lines(draft.text).size(0, draft.text.count("\n")) <= 1.2 * CAPACITY for draft in drafts)
    assert all(draft.text.startswith("key_") and "_0 = " in draft.text.split("\n")[0] for draft in drafts)


def test_a_shebang_names_the_language() -> None:
    assert {draft.language for draft in check("bin/tool", "#!/usr/bin/env python3\nprint(1)\n")} == {"python"}
    assert {draft.language for draft in check("bin/tool", "#!/bin/sh\necho 1\n")} == {"bash"}


def test_a_cpp_header_is_not_taken_for_c() -> None:
    assert {d.language for d in check("a.h", "namespace x {\nclass A {\n public:\n  int a();\n};\n}\n")} == {"cpp"}
    assert {d.language for d in check("a.h", "struct a { int b; };\nint f(struct a *x);\n")} == {"c"}


@pytest.mark.parametrize("text", ["", "\n\n", " \t\n"])
def test_nothing_makes_no_chunks(text: str) -> None:
    assert chunk_file("a.py", text) == []


def test_line_ends_and_what_sql_can_not_hold_are_normalised() -> None:
    (draft,) = check("a.py", "a = 1\r\nb = 2\rc = '\ud800\x00'\r\n")
    assert draft.text == "a = 1\nb = 2\nc = '?\ufffd'"
    assert (draft.start_line, draft.end_line) == (1, 3)


@pytest.mark.parametrize("name", ["deep.json", "deep.py", "deep.js", "deep.md", "deep.html", "deep.css", "deep.yaml"])
def test_deep_nesting_neither_crashes_nor_loses_a_line(name: str) -> None:
    assert check(name, "[\n" * 3000 + "]\n" * 3000)
    assert check(name, "(" * 20000)
    assert check(name, "<div>\n" * 2000)
    assert check(name, "> " * 2000 + "\n")


SUFFIXES = [name.rpartition(".")[2] for name in EXPECTED] + ["py", "txt", "toml"]
FRAGMENTS = st.sampled_from(
    [fragment for name in EXPECTED for fragment in (SAMPLES / name).read_text().split("\n")] + PYTHON.split("\n")
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(suffix=st.sampled_from(SUFFIXES), text=st.text(st.characters(), max_size=400))
def test_any_text_is_covered(suffix: str, text: str) -> None:
    assert bool(check(f"a.{suffix}", text)) is any(line.strip() for line in normalise(text).split("\n"))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(suffix=st.sampled_from(SUFFIXES), lines=st.lists(FRAGMENTS, min_size=1, max_size=120))
def test_any_mixture_of_code_is_covered(suffix: str, lines: list[str]) -> None:
    assert bool(check(f"a.{suffix}", "\n".join(lines))) is any(line.strip() for line in lines)
