"""Known vulnerabilities in what is pinned: constraints.txt by pip-audit, the pages' packages by npm.

Both ask public services. One that can't be reached, or knows nothing, is said and is no failure, so that ``make check``
works offline. An audit that could not be made for any other reason is one: it can't say no.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PINNED = ROOT / "constraints.txt"
GUI = ROOT / "gui"
PATIENCE_S = 600
PIP_AUDIT = (
    sys.executable, "-m", "pip_audit", "--requirement", str(PINNED), "--no-deps", "--disable-pip",
    "--format", "json", "--progress-spinner", "off", "--timeout", "10",
)  # fmt: skip
NPM_AUDIT = ("npm", "audit", "--omit=dev", "--json")
_PIP_NETWORK = re.compile(
    r"^requests\.exceptions\.(ConnectionError|ProxyError|SSLError|ConnectTimeout|ReadTimeout|Timeout|HTTPError: 5)"
    r"|Could not connect to PyPI's vulnerability feed|PyPI is not redirecting properly",
    re.MULTILINE,
)
_NPM_NETWORK = re.compile(r"failed, reason:|network timeout at|getaddrinfo|ECONN|ETIMEDOUT")
_NO_AUDITS_HERE = (403, 404, 405, 429)
"""Of a registry that gives packages and no audits."""


class Unreachable(Exception):
    """Nobody could be asked."""


class Broken(Exception):
    """The audit itself did not work."""


@dataclass(frozen=True)
class Audited:
    asked: int
    of: int
    known: tuple[str, ...]
    """One line a vulnerability."""


def python_packages(command: Sequence[str] = PIP_AUDIT, environment: Mapping[str, str] | None = None) -> Audited:
    """Raises Unreachable, Broken."""
    done = _run(command, ROOT, environment)
    try:
        found: list[dict[str, Any]] = list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError, TypeError) as error:
        if _PIP_NETWORK.search(done.stderr):
            raise Unreachable("pip-audit's service can't be reached from here") from error
        raise Broken(f"pip-audit ended with {done.returncode}: {_last_line(done.stderr)}") from error
    pins = [line for line in PINNED.read_text(encoding="utf-8").splitlines() if "==" in line.split("#")[0]]
    if len(found) < len(pins):
        raise Broken(f"pip-audit looked at {len(found)} of the {len(pins)} packages in {PINNED.name}")
    asked = [one for one in found if "skip_reason" not in one]  # what the service has never heard of is no answer
    if not asked:
        raise Unreachable("the service that answers here knows none of them")
    known = (
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in asked
        for flaw in one.get("vulns", ())
    )
    return Audited(len(asked), len(found), tuple(known))


def page_packages(
    command: Sequence[str] | None = None, folder: Path = GUI, environment: Mapping[str, str] | None = None
) -> Audited:
    """Raises Unreachable, Broken."""
    done = _run(command or npm_audit(), folder, environment)
    try:
        told: dict[str, Any] = json.loads(done.stdout)
        if "vulnerabilities" not in told:
            raise _npm_failure(told)
        known = tuple(f"{one['name']} {one['range']}: {one['severity']}" for one in told["vulnerabilities"].values())
        count = int(told["metadata"]["dependencies"]["prod"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Broken(f"npm audit ended with {done.returncode}: {_last_line(done.stderr)}") from error
    if not count:
        raise Broken("npm audit looked at no package")
    return Audited(count, count, known)


def _npm_failure(told: Mapping[str, Any]) -> Exception:
    message, status = str(told.get("message", "")), told.get("statusCode")
    if status in _NO_AUDITS_HERE or (isinstance(status, int) and status >= 500):
        return Unreachable(f"the registry that answers here gives no audits ({status})")
    if status is None and _NPM_NETWORK.search(message):
        return Unreachable("npm's registry can't be reached from here")
    return Broken(f"npm audit: {message or told.get('error', {}).get('summary') or 'no answer'}")


def npm_audit() -> list[str]:
    """The command, with the Node that the pages are built with. Raises Broken."""
    done = _run((sys.executable, str(GUI / "node.py")), ROOT, None)
    if done.returncode:
        raise Broken(f"no Node for npm audit: {_last_line(done.stderr)}")
    npm, *words = NPM_AUDIT
    folder = done.stdout.strip()
    return ["env", f"PATH={folder}:/usr/bin:/bin", f"{folder}/{npm}", *words]


def _run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Broken(f"{' '.join(command[:4])} did not end within {PATIENCE_S} s") from error
    except OSError as error:
        raise Broken(f"{command[0]} can't be started: {error.strerror}") from error


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"


def main() -> int:
    """0: none known, or nobody could be asked; 1: there are some, listed, or an audit is broken."""
    failed = False
    for name, audit in (("Python packages", python_packages), ("The pages' packages", page_packages)):
        try:
            found = audit()
        except Unreachable as error:
            print(f"{name} were not audited: {error}.")
        except Broken as error:
            print(f"{name} could not be audited. {error}")
            failed = True
        else:
            print(*found.known, sep="\n", end="\n" if found.known else "")
            print(f"{name}: {found.asked} of {found.of} audited, {len(found.known)} known vulnerabilities.")
            failed = failed or bool(found.known)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
