"""Which language a file is written in, and the tree-sitter grammar that parses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any

import tree_sitter


@dataclass(frozen=True, slots=True)
class Language:
    """A language by name; ``module`` and ``function`` say where its grammar is, None when it has none."""

    name: str
    module: str | None = None
    function: str = "language"
    separator: str = "."
    """Between the parts of a symbol."""
    prose: bool = False
    """Documents and data: small neighbours belong together more often than they are found apart."""

    @property
    def parses(self) -> bool:
        return self.module is not None


PYTHON = Language("python", "tree_sitter_python")
JAVASCRIPT = Language("javascript", "tree_sitter_javascript")
TYPESCRIPT = Language("typescript", "tree_sitter_typescript", "language_typescript")
TSX = Language("typescript", "tree_sitter_typescript", "language_tsx")
JAVA = Language("java", "tree_sitter_java")
GO = Language("go", "tree_sitter_go")
RUST = Language("rust", "tree_sitter_rust", separator="::")
C = Language("c", "tree_sitter_c")
CPP = Language("cpp", "tree_sitter_cpp", separator="::")
C_SHARP = Language("csharp", "tree_sitter_c_sharp")
RUBY = Language("ruby", "tree_sitter_ruby")
PHP = Language("php", "tree_sitter_php", "language_php", separator="::")
PHP_INSIDE = Language("php", "tree_sitter_php", "language_php_only", separator="::")
"""PHP without the opening tag: for a piece cut out of a file."""
HTML = Language("html", "tree_sitter_html", prose=True)
CSS = Language("css", "tree_sitter_css", prose=True)
BASH = Language("bash", "tree_sitter_bash")
JSON = Language("json", "tree_sitter_json", prose=True)
YAML = Language("yaml", "tree_sitter_yaml", prose=True)
SQL = Language("sql", "tree_sitter_sql")
MARKDOWN = Language("markdown", "tree_sitter_markdown", separator=" > ", prose=True)
TEXT = Language("text", prose=True)

WITH_GRAMMAR = (
    PYTHON,
    JAVASCRIPT,
    TYPESCRIPT,
    TSX,
    JAVA,
    GO,
    RUST,
    C,
    CPP,
    C_SHARP,
    RUBY,
    PHP,
    PHP_INSIDE,
    HTML,
    CSS,
    BASH,
    JSON,
    YAML,
    SQL,
    MARKDOWN,
)

_SUFFIXES: dict[str, Language] = {
    **dict.fromkeys((".py", ".pyi", ".pyw"), PYTHON),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), JAVASCRIPT),
    **dict.fromkeys((".ts", ".mts", ".cts"), TYPESCRIPT),
    ".tsx": TSX,
    ".java": JAVA,
    ".go": GO,
    ".rs": RUST,
    **dict.fromkeys((".c", ".h"), C),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".h++", ".ipp", ".inl", ".cu", ".cuh"), CPP),
    **dict.fromkeys((".cs", ".csx"), C_SHARP),
    **dict.fromkeys((".rb", ".rake", ".gemspec"), RUBY),
    **dict.fromkeys((".php", ".phtml"), PHP),
    **dict.fromkeys((".html", ".htm", ".xhtml"), HTML),
    ".css": CSS,
    **dict.fromkeys((".sh", ".bash", ".zsh", ".ksh"), BASH),
    **dict.fromkeys((".json", ".jsonc", ".json5", ".ipynb", ".webmanifest"), JSON),
    **dict.fromkeys((".yaml", ".yml"), YAML),
    ".sql": SQL,
    **dict.fromkeys((".md", ".markdown", ".mdx"), MARKDOWN),
}

_PLAIN_SUFFIXES: dict[str, str] = {
    ".toml": "toml",
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
    ".rst": "rst",
    ".xml": "xml",
    ".kt": "kotlin",
    ".kts": "kotlin",
    ".swift": "swift",
    ".scala": "scala",
    ".lua": "lua",
    ".r": "r",
    ".pl": "perl",
    ".ps1": "powershell",
    ".dart": "dart",
    ".ex": "elixir",
    ".exs": "elixir",
    ".proto": "protobuf",
    ".graphql": "graphql",
    ".tf": "terraform",
    ".vue": "vue",
    ".svelte": "svelte",
    ".scss": "scss",
    ".less": "less",
    ".csv": "csv",
    ".mk": "make",
    ".dockerfile": "dockerfile",
}

_NAMES: dict[str, Language] = {
    "makefile": Language("make"),
    "gnumakefile": Language("make"),
    "dockerfile": Language("dockerfile"),
    "containerfile": Language("dockerfile"),
    "cmakelists.txt": Language("cmake"),
    "gemfile": RUBY,
    "rakefile": RUBY,
    ".bashrc": BASH,
    ".profile": BASH,
}

_INTERPRETERS = {
    "python": PYTHON,
    "bash": BASH,
    "sh": BASH,
    "zsh": BASH,
    "node": JAVASCRIPT,
    "ruby": RUBY,
    "php": PHP,
}
_SHEBANG = re.compile(r"#!\s*\S*?(?:/env\s+(?:-S\s+)?)?(\w+?)[\d.]*(?:\s|$)")
_CPP_HEADER = re.compile(r"^\s*(?:class|namespace|template|using)\b|\bpublic:|std::", re.MULTILINE)


def detect(path: str, text: str) -> Language:
    """The language of a file, by name, then suffix, then first line; ``text`` when nothing says more."""
    pure = PurePosixPath(path)
    named = _NAMES.get(pure.name.lower())
    if named is not None:
        return named
    suffix = pure.suffix.lower()
    language = _SUFFIXES.get(suffix)
    if language is C and suffix == ".h" and _CPP_HEADER.search(text):
        return CPP
    if language is not None:
        return language
    if suffix in _PLAIN_SUFFIXES:
        return Language(_PLAIN_SUFFIXES[suffix], prose=suffix in (".rst", ".ini", ".toml", ".cfg", ".conf"))
    shebang = _SHEBANG.match(text[:200])
    if shebang:
        return _INTERPRETERS.get(shebang.group(1), TEXT)
    return TEXT


@cache
def pointer(language: Language) -> Any:
    """The wheel's grammar object, as both tree-sitter and semantic-text-splitter take it."""
    if language.module is None:
        raise ValueError(f"{language.name} has no grammar")
    return getattr(import_module(language.module), language.function)()


@cache
def _grammar(language: Language) -> tree_sitter.Language:
    return tree_sitter.Language(pointer(language))


def parse(language: Language, source: bytes) -> tree_sitter.Tree:
    """Parse UTF-8 source. A parser of its own for each call: parsers are not safe to share between threads."""
    return tree_sitter.Parser(_grammar(language)).parse(source)
