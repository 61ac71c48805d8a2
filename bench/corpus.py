"""Questions with known right places: a folder in the form of CoSQA, or one made from installed packages.

A corpus folder holds ``corpus.jsonl`` (id, code) and ``queries-dev.jsonl`` (query, relevant: ids into the corpus).
"""

from __future__ import annotations

import ast
import json
import random
import re
import sysconfig
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("sqlalchemy", "sklearn", "networkx", "rich", "httpx", "fastapi", "transformers/utils")
LONGEST_FUNCTION = 3000
FEWEST_WORDS, MOST_WORDS = 5, 20


@dataclass(frozen=True, slots=True)
class Question:
    query: str
    relevant: frozenset[str]
    """Paths of the right places in the indexed folder."""


@dataclass(frozen=True, slots=True)
class Corpus:
    name: str
    code: dict[str, str]
    """path → source text."""
    questions: tuple[Question, ...]

    def write(self, folder: Path) -> None:
        """Write one file a function, so that the product indexes it like any other code."""
        for path, code in self.code.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(code + "\n", encoding="utf-8")


def path_of(identifier: int) -> str:
    return f"{identifier // 500:02d}/f{identifier:05d}.py"


def load(folder: Path) -> Corpus:
    """Read a corpus folder. Raises FileNotFoundError or KeyError where it has another form."""
    with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
        code = {path_of(row["id"]): row["code"] for row in map(json.loads, lines)}
    with (folder / "queries-dev.jsonl").open(encoding="utf-8") as lines:
        questions = tuple(
            Question(row["query"], frozenset(path_of(i) for i in row["relevant"])) for row in map(json.loads, lines)
        )
    return Corpus(folder.name, code, questions)


def labelled(folder: Path, corpus: Corpus) -> tuple[Question, ...]:
    """Questions of the folder's labelled pairs whose right place is in the corpus and that it does not ask itself.

    Raises FileNotFoundError or KeyError where the folder has no ``labelled-pairs-dev.jsonl`` in CoSQA's form.
    """
    paths = {code: path for path, code in corpus.code.items()}
    known = {question.query for question in corpus.questions}
    right: dict[str, set[str]] = {}
    with (folder / "labelled-pairs-dev.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["label"] and row["sentence_0"] not in known and row["sentence_1"] in paths:
                right.setdefault(row["sentence_0"], set()).add(paths[row["sentence_1"]])
    return tuple(Question(query, frozenset(places)) for query, places in right.items())


def from_packages(functions: int, questions: int, seed: int) -> Corpus:
    """A corpus from the source of installed packages.

    The question is the docstring's first sentence, the right place the function with its docstring taken out.
    """
    rng = random.Random(seed)
    found: list[tuple[str | None, str]] = []
    for package in PACKAGES:
        found.extend(functions_of(Path(sysconfig.get_path("purelib")) / package))
    rng.shuffle(found)
    found = found[:functions]
    code = {path_of(i): text for i, (_, text) in enumerate(found)}
    sentences = [sentence for sentence, _ in found if sentence is not None]
    asked = [
        Question(sentence, frozenset({path_of(i)}))
        for i, (sentence, _) in enumerate(found)
        if sentence is not None and sentences.count(sentence) == 1
    ]
    return Corpus("installed-packages", code, tuple(asked[:questions]))


def functions_of(package: Path) -> Iterator[tuple[str | None, str]]:
    """(first sentence of the docstring, or None; source without it) of every function of a package."""
    for file in sorted(package.rglob("*.py")):
        if "test" in str(file.relative_to(package)):
            continue
        source = file.read_text(encoding="utf-8", errors="replace")
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        lines = source.splitlines()
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                text = _without_docstring(node, lines)
                if text is not None:
                    yield _first_sentence(ast.get_docstring(node)), text


def _without_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> str | None:
    first, last = node.lineno - 1, node.end_lineno or node.lineno
    kept = list(range(first, last))
    if ast.get_docstring(node) is not None:
        doc = node.body[0]
        kept = [i for i in kept if not doc.lineno - 1 <= i < (doc.end_lineno or doc.lineno)]
        if len(node.body) == 1:
            return None
    text = textwrap.dedent("\n".join(lines[i] for i in kept))
    return text if len(kept) >= 3 and len(text) <= LONGEST_FUNCTION else None


def _first_sentence(docstring: str | None) -> str | None:
    if not docstring:
        return None
    paragraph = " ".join(docstring.strip().split("\n\n")[0].split())
    sentence = re.split(r"(?<=[.!?])\s", paragraph)[0].rstrip(".")
    plain = re.sub(r"[`*:~|]", "", sentence)
    return plain if FEWEST_WORDS <= len(plain.split()) <= MOST_WORDS else None
