"""Paths that lead somewhere else, as they are written to get past whoever looks for two dots."""

from __future__ import annotations

_UP = (
    "..",
    "%2e%2e",
    "%2E%2E",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "..%00",
    "..;",
    "....",
    "%c0%ae%c0%ae",
    "%uff0e%uff0e",
    "\u2025",
    "\uff0e\uff0e",
)
_BETWEEN = ("/", "%2f", "%5c", "\\")
_TARGETS = ("etc/passwd", "rankloop.db")

PAYLOADS: tuple[str, ...] = (
    *(f"{between.join([up] * 6)}{between}{target}" for up in _UP for between in _BETWEEN for target in _TARGETS[:1]),
    *(f"assets/{up}/{up}/{up}/pyproject.toml" for up in _UP),
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "\\\\host\\share\\x",
    "./../../state.py",
    "assets/../../app.py",
    "assets/%2e%2e/%2e%2e/app.py",
    "../rankloop.db",
    "../../.rankloop/admin-token",
    "%2e%2e%2f%2e%2e%2fadmin-token",
    "~root/.ssh/id_rsa",
    "....//....//....//etc/passwd",
    "..././..././etc/passwd",
    "/proc/self/environ",
    "assets/\x00/../../app.py",
    "index.html/../../app.py",
    "index.html%00.png",
    ".%00./.%00./etc/passwd",
    "x" * 300,
    "x/" * 3000,
)
