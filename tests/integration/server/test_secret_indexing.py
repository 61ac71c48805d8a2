"""A secret in indexed code reaches no table, no search and no page; where it was left out is told."""

from __future__ import annotations

import shutil
from pathlib import Path

from store.encoder import Encoder
from store.tables import metadata
from tests.integration.server.support import Running, running

TOKEN = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
PASSWORD = "Xq9" + "vL2mTz8"
CODE = f'''"""Sends the nightly report to the board by mail with {TOKEN}."""

import smtplib


def send_report(report):
    """Send the report of the night to everybody on the board."""
    password = "{PASSWORD}"
    return smtplib.SMTP("mail").login("reports", password)
'''


def everything(server: Running) -> str:
    """All that the database holds, as one text."""
    with server.state.db.read() as tx:
        return "\n".join(str(row) for table in metadata.sorted_tables for row in tx.execute(table.select()))


def index(server: Running, root: Path) -> dict[str, object]:
    started = server.admin("POST", "/repos", 202, json={"name": "mail", "path": str(root)})
    job = server.wait_for_job(started["job_id"])
    assert job["state"] == "succeeded", job
    return dict(job["result"])


def test_a_secret_is_nowhere_after_indexing(own: Running, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "report.py").write_text(CODE)
    result = index(own, tmp_path / "mail")
    assert result["secrets"] == 2
    (repo,) = [repo for repo in own.admin("GET", "/repos") if repo["name"] == "mail"]
    assert repo["secrets"] == 2
    assert repo["secrets_at"] == [
        {"path": "report.py", "line": 1, "kind": "GitHub token"},
        {"path": "report.py", "line": 8, "kind": "assigned secret"},
    ]
    found = own.search("send the report of the night", repo="mail")["results"]
    assert "[secret left out]" in "".join(result["text"] for result in found)
    stored = everything(own)
    assert "send_report" in stored
    assert TOKEN not in stored
    assert PASSWORD not in stored

    again = index(own, tmp_path / "mail")
    assert (again["unchanged"], again["added"], again["embedded"], again["secrets"]) == (1, 0, 0, 2)

    (tmp_path / "mail" / "report.py").write_text(CODE.replace(TOKEN, "it").replace(f'"{PASSWORD}"', "ask()"))
    assert index(own, tmp_path / "mail")["secrets"] == 0
    (repo,) = [repo for repo in own.admin("GET", "/repos") if repo["name"] == "mail"]
    assert (repo["secrets"], repo["secrets_at"]) == (0, [])


def test_the_setting_indexes_files_as_they_are_and_back(data: Path, tiny_encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "report.py").write_text(CODE)
    other = tmp_path / "other"
    shutil.copytree(data, other)
    with running(other, tiny_encoder, leave_out_secrets=False) as server:
        assert index(server, tmp_path / "mail")["secrets"] == 0
        assert PASSWORD in "".join(r["text"] for r in server.search("send the report", repo="mail")["results"])
    with running(other, tiny_encoder) as server:
        result = index(server, tmp_path / "mail")
        assert (result["unchanged"], result["secrets"]) == (0, 2), "cut again, though the file has not changed"
        assert PASSWORD not in "".join(r["text"] for r in server.search("send the report", repo="mail")["results"])
