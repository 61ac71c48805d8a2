"""What is left out of the index and why: by name, by folder, by content."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path, PurePosixPath

LARGEST = 1_000_000
"""Bytes above which a file is left out."""

_LONGEST_LINE = 5_000
_PROSE = 0.1  # share of spaces from which long lines are paragraphs
_DENSE_LINE = 500  # mean characters a line from which code was written by a machine


class Reason(StrEnum):
    """Why a file is not indexed. The ``…_folder`` reasons count folders, whose files were not looked at."""

    IGNORED = "ignored"
    IGNORED_FOLDER = "ignored_folder"
    VENDORED_FOLDER = "vendored_folder"
    VERSION_CONTROL = "version_control_folder"
    UNREADABLE_FOLDER = "unreadable_folder"
    SECRET = "secret"
    LOCK_FILE = "lock_file"
    BINARY = "binary"
    MINIFIED = "minified"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    SYMLINK = "symlink"
    SPECIAL = "special"
    """A socket, pipe or device."""
    NAME = "name_not_utf8"
    UNREADABLE = "unreadable"


_VERSION_CONTROL = {".git", ".hg", ".svn", ".bzr", "CVS"}
_VENDORED = {
    *("node_modules", "bower_components", "jspm_packages", "site-packages", "__pycache__", "__pypackages__"),
    *(".venv", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".gradle", ".bundle"),
    *(".terraform", ".yarn", ".pnpm-store", ".next", ".nuxt", ".eggs", "Pods", ".rankloop", ".ipynb_checkpoints"),
}
_VENDORED_WITH = {
    "vendor": ("modules.txt", "autoload.php", "bundle"),
    "target": ("CACHEDIR.TAG", ".rustc_info.json"),
}
_ANY_FOLDER_WITH = ("pyvenv.cfg", "rankloop.db")

_SECRET_FOLDERS = {".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker"}
_SECRET_NAME = re.compile(
    r"""\.env(?:[.\-_].*)? | .*\.env | \.envrc
    | id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?:\..*)?
    | (?:.*\.)?(?:pem|key|p12|pfx|pkcs12|jks|keystore|kdbx|ppk|asc|gpg|p8)
    | \.?(?:git-)?credentials(?:\.(?:json|ya?ml|toml|ini|csv|txt|xml|properties|db))?
    | \.?secrets?\.(?:json|ya?ml|toml|ini|txt|env|properties) | (?:client_secret|service[-_]?account).*\.json
    | \.netrc | _netrc | \.pgpass | \.pypirc | \.npmrc | \.yarnrc | \.htpasswd | \.dockercfg | \.my\.cnf | kubeconfig
    | .*\.tfstate(?:\.backup)? | .*\.tfvars""",
    re.VERBOSE | re.IGNORECASE,
)
_LOCK_FILES = {
    *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"),
    *("poetry.lock", "pdm.lock", "uv.lock", "pipfile.lock", "cargo.lock", "gemfile.lock", "composer.lock", "go.sum"),
    *("packages.lock.json", "pubspec.lock", "mix.lock", "flake.lock", "gradle.lockfile", "podfile.lock", "conan.lock"),
}
_MINIFIED_NAME = re.compile(
    r".*[.\-]min\.(?:js|mjs|cjs|css|html)|.*\.(?:js|css|mjs|cjs)\.map|.*\.bundle\.js", re.IGNORECASE
)
_BINARY_SUFFIXES = (
    ".png .jpg .jpeg .gif .bmp .ico .webp .avif .tif .tiff .psd .svg .eps .pdf .ps .zip .gz .tgz .bz2 .xz .zst .7z .rar"
    " .tar .jar .war .whl .egg .so .dylib .dll .exe .o .a .lib .obj .class .pyc .pyo .pyd .wasm .bin .dat .npy .npz"
    " .pt .pth .onnx .safetensors .pkl .pickle .joblib .h5 .parquet .arrow .feather .db .sqlite .sqlite3 .mp3 .mp4 .wav"
    " .ogg .avi .flac .mov .webm .mkv .ttf .otf .woff .woff2 .eot .doc .docx .xls .xlsx .ppt .pptx .odt .mo"
)
_BINARY = frozenset(_BINARY_SUFFIXES.split())
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\r)?(?:\\n|\r?\n)[ \t\r\n\"'+]*[A-Za-z0-9+/]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")


def folder_reason(folder: Path) -> Reason | None:
    """Why a folder is not entered; None when it is."""
    if folder.name in _VERSION_CONTROL:
        return Reason.VERSION_CONTROL
    marks = (*_VENDORED_WITH.get(folder.name, ()), *_ANY_FOLDER_WITH)
    if folder.name in _VENDORED or any((folder / mark).exists() for mark in marks):
        return Reason.VENDORED_FOLDER
    return None


def name_reason(path: str) -> Reason | None:
    """Why a file is left out for its name alone; None when its content decides."""
    pure = PurePosixPath(path)
    if _SECRET_NAME.fullmatch(pure.name) or _SECRET_FOLDERS.intersection(pure.parts[:-1]):
        return Reason.SECRET
    if pure.name.lower() in _LOCK_FILES:
        return Reason.LOCK_FILE
    if pure.suffix and pure.suffix.lower() in _BINARY:
        return Reason.BINARY
    if _MINIFIED_NAME.fullmatch(pure.name):
        return Reason.MINIFIED
    return None


def content(raw: bytes) -> str | Reason:
    """The file's text, or why there is none worth indexing.

    UTF-8 (with or without byte-order mark), UTF-16 and UTF-32 with one, else Latin-1 where that reads as text.
    """
    text = _decoded(raw)
    if text is None:
        return Reason.BINARY
    if not text.strip():
        return Reason.EMPTY
    if _PRIVATE_KEY.search(text):
        return Reason.SECRET
    if _is_minified(text):
        return Reason.MINIFIED
    return text


def _decoded(raw: bytes) -> str | None:
    marks = {b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    encoding = next((name for mark, name in marks.items() if raw.startswith(mark)), "utf-8-sig")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
        return None if encoding != "utf-8-sig" or _CONTROL.search(text) else text
    return None if "\x00" in text else text


def _is_minified(text: str) -> bool:
    lines = text.split("\n")
    longest = max(map(len, lines))
    dense = len(text) > 2 * _DENSE_LINE and len(text) / len(lines) > _DENSE_LINE
    if text.count(" ") > _PROSE * len(text):
        return longest > 4 * _LONGEST_LINE
    return dense or longest > _LONGEST_LINE
