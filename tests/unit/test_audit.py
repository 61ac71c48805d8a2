"""An audit that can't reach its service is no failure; one that is broken, or finds something, is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from store.settings import process_environment
from tests import audit
from tests.audit import Audited, Broken, Unreachable

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""
PIN = {"name": "alpha", "version": "1.0", "vulns": []}


def saying(tmp_path: Path, told: object, code: int = 0) -> list[str]:
    """A command that prints ``told`` and ends with ``code``."""
    script = tmp_path / "says.py"
    text = told if isinstance(told, str) else json.dumps(told)
    script.write_text(f"import sys\nprint({text!r})\nsys.exit({code})\n", encoding="utf-8")
    return [sys.executable, str(script)]


def pins(*found: dict[str, Any]) -> dict[str, Any]:
    """An answer about all that is pinned: ``found``, and packages without a flaw."""
    return {"dependencies": [*found, *[PIN] * 300]}


def test_pip_audit_without_a_network_is_unreachable() -> None:
    cut_off = process_environment({"HTTPS_PROXY": NOWHERE, "https_proxy": NOWHERE})
    with pytest.raises(Unreachable):
        audit.python_packages(environment=cut_off)


def test_a_missing_module_is_a_broken_audit() -> None:
    with pytest.raises(Broken, match="No module named no_such_audit"):
        audit.python_packages((sys.executable, "-m", "no_such_audit"))


def test_a_missing_command_is_a_broken_audit() -> None:
    with pytest.raises(Broken, match="can't be started"):
        audit.page_packages(("no-such-npm",))


def test_a_crash_is_a_broken_audit() -> None:
    crash = (sys.executable, "-c", "raise RuntimeError('a flaw of its own')")
    for asks in (audit.python_packages, audit.page_packages):
        with pytest.raises(Broken, match="RuntimeError: a flaw of its own"):
            asks(crash)


@pytest.mark.parametrize("told", ["", "[]", "{}", {"dependencies": []}, {"dependencies": [PIN]}, {"dependencies": 3}])
def test_an_answer_that_is_none_is_a_broken_audit(tmp_path: Path, told: object) -> None:
    with pytest.raises(Broken):
        audit.python_packages(saying(tmp_path, told))


def test_a_service_that_knows_no_package_is_no_answer(tmp_path: Path) -> None:
    unknown = {"name": "alpha", "skip_reason": "Dependency not found"}
    with pytest.raises(Unreachable):
        audit.python_packages(saying(tmp_path, {"dependencies": [unknown] * 300}))


def test_known_flaws_are_named(tmp_path: Path) -> None:
    flaw = {"name": "beta", "version": "2.0", "vulns": [{"id": "X-1", "fix_versions": ["2.1"]}]}
    assert audit.python_packages(saying(tmp_path, pins(flaw), 1)).known == ("beta 2.0: X-1, mended in 2.1",)
    told = {
        "vulnerabilities": {"gamma": {"name": "gamma", "range": "<3", "severity": "high"}},
        "metadata": {"dependencies": {"prod": 7}},
    }
    assert audit.page_packages(saying(tmp_path, told, 1)) == Audited(7, 7, ("gamma <3: high",))


def test_npm_without_a_network_is_unreachable_and_without_a_lock_file_broken(tmp_path: Path) -> None:
    command = [*audit.npm_audit(), "--fetch-retries=0"]
    with pytest.raises(Unreachable, match="can't be reached"):
        audit.page_packages(command, environment=process_environment({"npm_config_registry": NOWHERE}))
    with pytest.raises(Broken, match="lockfile"):
        audit.page_packages(command, tmp_path, process_environment({"npm_config_registry": NOWHERE}))


@pytest.mark.parametrize(
    ("told", "raised"),
    [
        ({"message": "405 Method Not Allowed", "statusCode": 405}, Unreachable),
        ({"message": "503 Service Unavailable", "statusCode": 503}, Unreachable),
        ({"message": "400 Bad Request", "statusCode": 400}, Broken),
        ({"error": {"code": "EUSAGE", "summary": "no such option"}}, Broken),
        ({"vulnerabilities": {}, "metadata": {"dependencies": {"prod": 0}}}, Broken),
        ({"vulnerabilities": {}}, Broken),
    ],
)
def test_what_npm_says_instead_of_an_answer(tmp_path: Path, told: object, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        audit.page_packages(saying(tmp_path, told, 1))


@pytest.mark.parametrize(
    ("happens", "status"), [(Unreachable("x"), 0), (Broken("it crashed"), 1), (Audited(1, 1, ("flaw",)), 1)]
)
def test_make_check_fails_for_all_but_the_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], happens: Audited | Exception, status: int
) -> None:
    def asks() -> Audited:
        if isinstance(happens, Exception):
            raise happens
        return happens

    monkeypatch.setattr(audit, "python_packages", asks)
    monkeypatch.setattr(audit, "page_packages", lambda: Audited(1, 1, ()))
    assert audit.main() == status
    if isinstance(happens, Broken):
        assert capsys.readouterr().out.splitlines()[0] == "Python packages could not be audited. it crashed"
