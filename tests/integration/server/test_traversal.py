"""No path of a request, of an archive or of an indexed file leads out of where it belongs."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest

from rankloop.backup import restore
from server.routes.pages import STATIC
from store.errors import RankloopError
from store.settings import Settings
from store.transfer import import_version
from tests.integration.server.support import ADMIN, Running
from tests.traversal import PAYLOADS

PLACES = (
    ("GET", "/{}"),
    ("GET", "/assets/{}"),
    ("GET", "/admin/{}"),
    ("GET", "/api/answers/{}/receipt"),
    ("PUT", "/api/answers/{}/rating"),
    ("GET", "/api/conversations/{}"),
    ("DELETE", "/api/conversations/{}"),
    ("GET", "/api/admin/models/{}"),
    ("POST", "/api/admin/models/{}/promote"),
    ("DELETE", "/api/admin/repos/{}"),
    ("POST", "/api/admin/repos/{}/index"),
    ("PATCH", "/api/admin/judgments/{}"),
    ("GET", "/api/admin/jobs/{}"),
)
SECRETS = (b"root:x:", b"[build-system]", b"SQLite format", b"def create_app", b"BEGIN OPENSSH")


def ask(server: Running, method: str, path: str) -> tuple[int, bytes]:
    """One request whose path nothing has tidied up before the application sees it."""
    told: dict[str, Any] = {"body": b""}

    bodies = iter([b"{}"])

    async def receive() -> dict[str, Any]:
        for body in bodies:
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told["status"] = message["status"]
        else:
            told["body"] += message.get("body", b"")

    raw = path.encode("utf-8", "surrogateescape")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
        "raw_path": raw,
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            (b"authorization", ADMIN["Authorization"].encode()),
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }

    async def within() -> None:
        await asyncio.wait_for(server.client.app(scope, receive, send), 60)  # type: ignore[arg-type]

    assert server.client.portal is not None
    server.client.portal.call(within)
    return int(told["status"]), bytes(told["body"])


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 60


@pytest.mark.parametrize(("method", "place"), PLACES, ids=lambda part: part)
def test_no_path_reads_or_changes_what_is_not_its_own(shop: Running, method: str, place: str) -> None:
    before = shop.admin("GET", "/repos"), shop.admin("GET", "/deployments")
    pages = {file.read_bytes() for file in STATIC.rglob("*") if file.is_file()} | {shop.client.get("/docs").content}
    for payload in PAYLOADS:
        for spelt in (payload, quote(payload, safe="")):
            status, body = ask(shop, method, place.format(spelt))
            assert status < 500, (place, spelt, body)
            assert not any(secret in body for secret in SECRETS), (place, spelt)
            if place == "/{}" and status == 200:
                assert body in pages, spelt
    assert (shop.admin("GET", "/repos"), shop.admin("GET", "/deployments")) == before


def archive(target: Path, name: str, content: bytes = b"{}") -> Path:
    with tarfile.open(target, "w") as tar:
        for each in ("rankloop.db", name):
            info = tarfile.TarInfo(each)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target


def everything_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_no_archive_writes_outside(tmp_path: Path, shop: Running) -> None:
    """Restoring a backup and importing a version, with each payload as a member's name."""
    (tmp_path / "data").mkdir()
    names = [name.replace("\x00", "") for name in PAYLOADS]
    for name in (*names, "", ".", "./", "models/../../x", "version/../../x", f"{tmp_path}/escaped"):
        file = archive(tmp_path / "bad.tar", name)
        before = everything_in(tmp_path)
        with pytest.raises(RankloopError):
            restore(Settings(data=tmp_path / "data"), file)
        assert everything_in(tmp_path) - before <= {"data"}, name
        with pytest.raises(RankloopError):
            import_version(shop.state.db, tmp_path / "models", file, shop.state.clock())
        assert everything_in(tmp_path) - before <= {"models", "models/.staging"}, name


def test_a_repository_shows_nothing_from_outside_its_folder(own: Running, tmp_path: Path) -> None:
    """Links and names with dots in an indexed folder: what is outside is neither read nor named."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "private.py").write_text("def quagga_private():\n    return 'nobody may read this'\n")
    root = tmp_path / "repo"
    root.mkdir()
    (root / "shown.py").write_text("def shown():\n    return 'everybody may read this'\n")
    (root / "link.py").symlink_to(outside / "private.py")
    (root / "folder").symlink_to(outside)
    (root / "..%2f..%2fprivate.py").write_text("def dotted():\n    return 1\n")
    os.link(outside / "private.py", root / "kept.txt")  # a hard link is the folder's own file
    started = own.admin("POST", "/repos", 202, json={"name": "linked", "path": str(root)})
    assert own.wait_for_job(started["job_id"])["state"] == "succeeded"
    found = own.search("quagga_private nobody may read this", repo="linked", top_k=50)["results"]
    assert {result["path"] for result in found} <= {"shown.py", "..%2f..%2fprivate.py", "kept.txt"}
    (repo,) = [repo for repo in own.admin("GET", "/repos") if repo["name"] == "linked"]
    assert repo["skipped"]["symlink"] == 2
