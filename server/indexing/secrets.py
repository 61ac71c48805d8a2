"""Secrets in code: found by the shape of issued tokens and by the names they are given to, and left out of the text.

``without_secrets`` is applied to a whole file before it is cut, so that no value is stored, embedded or shown. What is
found errs on the side of leaving code alone: a value must look issued (a known shape) or random (a name says secret and
the value is no word), and what people write in examples is passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from pathlib import PurePosixPath

VERSION = 1
"""Grows when other values would be left out of the same text: files are then cut again though they have not changed."""
MARKER = "[secret left out]"


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret was left out; never its value."""

    line: int
    """From 1."""
    kind: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """Tokens of one issuer. ``hints``: without any of them in the text the pattern is not tried."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


_SHAPES = tuple(
    _Shape(kind, tuple(hints.split()), re.compile(rf"(?<![A-Za-z0-9_])(?:{pattern})"))
    for kind, hints, pattern in (
        ("AWS access key", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])"),
        ("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
        ("GitHub token", "github_pat_", r"github_pat_\w{60,255}"),
        ("GitLab token", "gl", r"gl(?:pat|ptt|dt|rt|soat|cbt|ft|agent)-[\w-]{20,64}"),
        ("Slack token", "xox xapp-", r"(?:xox[abeoprs]|xapp-\d)-[A-Za-z0-9-]{20,255}"),
        ("Slack webhook", "hooks.slack.com", r"https://hooks\.slack\.com/(?:services|workflows)/[\w/]{30,80}"),
        ("Discord webhook", "/api/webhooks/", r"https://discord(?:app)?\.com/api/webhooks/\d+/[\w-]{50,90}"),
        ("Stripe key", "k_live_ k_test_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
        ("Stripe key", "whsec_", r"whsec_[A-Za-z0-9+/]{24,64}"),
        ("Google key", "AIza GOCSPX- ya29.", r"AIza[\w-]{35}|GOCSPX-[\w-]{28}|ya29\.[\w-]{40,255}"),
        ("model provider's key", "sk-", r"sk-(?:proj|svcacct|admin|ant|or)-[\w-]{24,255}|sk-[A-Za-z0-9]{40,64}"),
        ("model provider's key", "hf_ gsk_", r"hf_[A-Za-z0-9]{34,64}|gsk_[A-Za-z0-9]{40,64}"),
        ("package registry's token", "npm_ pypi-AgE", r"npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,255}"),
        ("package registry's token", "dckr_pat_", r"dckr_pat_[\w-]{24,64}"),
        ("SendGrid key", "SG.", r"SG\.[\w-]{16,32}\.[\w-]{32,64}"),
        ("Mailchimp key", "-us", r"[0-9a-f]{32}-us\d{1,2}(?!\d)"),
        ("Twilio key", "SK", r"SK[0-9a-f]{32}(?![0-9a-f])"),
        ("Telegram bot's token", ":AA", r"\d{8,10}:AA[\w-]{33}(?![\w-])"),
        ("cloud token", "_v1_ dapi", r"do[opr]_v1_[0-9a-f]{64}|dapi[0-9a-f]{32}(?![0-9a-f])"),
        ("Vault token", "hvs. hvb.", r"hv[sb]\.[\w-]{24,255}"),
        ("Shopify token", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
        ("JSON web token", "eyJ", r"eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{16,2000}"),
    )
)

_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"<>]{0,64}:(?P<value>[^\s:/@'\"<>]{6,200})@[\w.\[-]")
_HEADER = re.compile(
    r"authorization[\"']?\s{0,4}[:=,]\s{0,4}[\"'`]?(?:bearer|basic|token)\s+(?P<value>[\w.+/=~-]{16,2000})"
)
_PASSWORD = r"(?P<word>passw(?:or)?d|passphrase|passwd|pwd)"
_KEYS = r"(?:access|private|auth|encryption|signing|account|master)[_-]?key"
_NAMES = rf"(?:{_PASSWORD}|secret|token(?!i[sz])|credential|api[_-]?key|{_KEYS})"
_TAIL = r"[a-z0-9_-]{0,24}"
_QUOTED = re.compile(
    rf"{_NAMES}{_TAIL}[\"'`]?\]?\s{{0,8}}"
    r"(?::\s{0,4}[a-z_][a-z0-9_.\[\] |]{0,24}=|:=|=>|[:=]|,(?![ \t]*\n))\s{0,8}[bru]{0,2}"
    r"(?P<quote>[\"'`])(?P<value>[^\s\"'`\\]{8,200})(?P=quote)"
)
_BARE = re.compile(
    rf"^[ \t]*(?:-[ \t]+)?(?:export[ \t]+|env[ \t]+)?[a-z0-9_.-]{{0,40}}{_NAMES}{_TAIL}[ \t]*[:=][ \t]*"
    r"(?P<value>[^\s\"'`\\#;,(){}\[\]<>$]{8,200})[ \t]*(?:[;#].*)?$",
    re.MULTILINE,
)
_CONNECTION = re.compile(rf";\s{{0,4}}(?:{_NAMES})\s?=\s?(?P<value>[^\s;\"'`]{{8,200}})(?=[;\"'`])")
"""In ``Server=…;Password=…;``, which has no quotes of its own around values."""
_HINTS = ("pass", "pwd", "secret", "token", "credential", "key")
_BARE_SUFFIXES = {
    *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".config", ".properties", ".txt", ".md", ".rst", ".tf"),
    *(".sh", ".bash", ".zsh", ".service", ".dockerfile", ""),
}
"""Where a value stands without quotes; elsewhere such a word is a variable."""

_EXAMPLE = re.compile(
    r"example|change|placeholder|dummy|your|x{4}|\*{3}|\.{3}|fake|sample|foobar|redact|insert|replace|default|here"
    r"|1234567|abcdef|qwerty|passw|secret|token|api_?key|test|invalid|wrong|[<>{}$%]|\.(?:com|org|net|py|json|ya?ml)$"
)
_WORD = re.compile(r"[A-Za-z]*\d{0,4}[A-Za-z]?")
_PARTS = re.compile(r"[_\-./:@+=,&?]+")
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_LEAST_DISTINCT = 7
_LEAST_RUNS = 0.3
"""Runs of one kind of character, a character: words have long ones (CamelCase 0.2), random values short ones (0.5)."""


def without_secrets(path: str, text: str) -> tuple[str, list[Secret]]:
    """The text with ``MARKER`` in place of each secret's value, and where that was. Lines stay the lines they were."""
    spans = _merged(sorted(_spans(path, text)))
    if not spans:
        return text, []
    pieces, found, cursor, line = [], [], 0, 1
    for start, end, kind in spans:
        pieces += [text[cursor:start], MARKER]
        line += text.count("\n", cursor, start)
        found.append(Secret(line, kind))
        cursor = end
    return "".join([*pieces, text[cursor:]]), found


def _spans(path: str, text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of what looks like a secret; they may overlap."""
    for shape in _SHAPES:
        if any(hint in text for hint in shape.hints):
            for match in shape.pattern.finditer(text):
                if len(set(match[0])) > _LEAST_DISTINCT and not match[0].endswith("EXAMPLE"):
                    yield match.start(), match.end(), shape.kind
    lower = text.lower()
    if len(lower) != len(text):  # some letters have lower cases of two: positions would not be the same
        lower = text
    if "://" in lower:
        yield from _valued(_URL, lower, text, "password in an address")
    if "authorization" in lower:
        yield from _valued(_HEADER, lower, text, "authorization header")
    if any(hint in lower for hint in _HINTS):
        yield from _valued(_QUOTED, lower, text, "assigned secret")
        if PurePosixPath(path).suffix.lower() in _BARE_SUFFIXES:
            yield from _valued(_BARE, lower, text, "assigned secret")
        if ";" in lower:
            yield from _valued(_CONNECTION, lower, text, "assigned secret")


def _valued(pattern: re.Pattern[str], lower: str, text: str, kind: str) -> Iterator[tuple[int, int, str]]:
    for match in pattern.finditer(lower):
        start, end = match.span("value")
        password = "word" not in pattern.groupindex or match["word"] is not None
        if _random(text[start:end], password=password):
            yield start, end, kind


def _random(value: str, *, password: bool) -> bool:
    """Whether a value looks issued or made up, and not like a word, a name, a path or an example.

    A password may be shorter and nearer to words than a token.
    """
    letters, digits = sum(map(str.isalpha, value)), sum(map(str.isdigit, value))
    if not letters or not digits or len(set(value)) < _LEAST_DISTINCT or _EXAMPLE.search(value.lower()):
        return False
    if password and not any(mark in value for mark in "./:("):
        return True
    if len(value) < 16 or all(_WORD.fullmatch(part) for part in _PARTS.split(value)):
        return False
    if len(_RUN.findall(value)) < _LEAST_RUNS * len(value):
        return False
    return _bits(value) >= (4.0 if any(mark in value for mark in "./:(") else 3.0)


def _bits(value: str) -> float:
    """Shannon entropy of the characters, in bits a character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * log2(n / len(value)) for n in counts)


def _merged(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Overlapping spans as one, of the kind that was named first."""
    merged: list[tuple[int, int, str]] = []
    for start, end, kind in spans:
        if merged and start < merged[-1][1]:
            first, last, said = merged[-1]
            merged[-1] = (first, max(last, end), said)
        else:
            merged.append((start, end, kind))
    return merged
