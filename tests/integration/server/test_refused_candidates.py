"""A version whose directory is wrong in any known way is not served; a reason, the old champion, a true ledger."""

from __future__ import annotations

import random
import re
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.encoder import Encoder
from store.types import Version
from tests import damage
from tests.integration.server.support import Running, running

EVERY = damage.PLAIN | damage.LINKS
FLIPS = 100


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder) -> Iterator[Running]:
    """Version "good" serves."""
    data = tmp_path_factory.mktemp("refused") / "data"
    shutil.copytree(prepared, data)
    with running(data, tiny_encoder) as started:
        promote(started, started.version("good"))
        yield started


def promote(server: Running, version: Version, status: int = 200) -> Any:
    body = {"reason": "a trial", "force": True}
    return server.admin("POST", f"/models/{version.id}/promote", status, json=body)


@pytest.fixture
def candidate(server: Running, tmp_path: Path) -> Iterator[Path]:
    """The directory of version "bad", put right again afterwards."""
    path = server.settings.models_dir / str(server.version("bad").path)
    shutil.copytree(path, tmp_path / "kept")
    damage.writable(path)
    yield path
    shutil.rmtree(path)
    shutil.copytree(tmp_path / "kept", path)


def refused(server: Running) -> str:
    """Why promoting "bad" was refused, once it is seen that nothing has changed by it."""
    good, bad = server.version("good"), server.version("bad")
    before = server.admin("GET", "/deployments")
    error = promote(server, bad, 409)["error"]
    assert error["code"] == "model_refused"
    assert f"version {good.id} keeps serving" in error["message"]
    after = server.admin("GET", "/deployments")
    assert [(one["action"], one["to_version"]) for one in after[:2]] == [("compensate", good.id), ("promote", bad.id)]
    assert after[0]["generation"] == before[0]["generation"] + 2
    assert after[2 : len(before)] == before[: len(before) - 2]
    assert server.search()["model_version"] == good.id
    assert server.client.get("/readyz").json()["note"] is None
    return str(error["message"])


@pytest.mark.parametrize("what", EVERY)
@pytest.mark.parametrize("forged", [False, True], ids=["as it is", "manifest rewritten"])
def test_a_damaged_directory_is_not_served(server: Running, candidate: Path, what: str, forged: bool) -> None:
    """A rewritten manifest does not help: the directory's name, which the registry knows, vouches for it."""
    hurt, _ = EVERY[what]
    hurt(candidate)
    if forged and what in damage.PLAIN:
        damage.rehash(candidate)
    message = refused(server)
    assert len(message) < 600
    assert str(candidate.parent.parent) not in message, "a reason names no path of the machine"


def test_any_flipped_bit_is_noticed(server: Running, candidate: Path) -> None:
    rng = random.Random(6)
    files = sorted(path for path in candidate.rglob("*") if path.is_file())
    for _ in range(FLIPS):
        path = rng.choice(files)
        place = damage.flip(path, rng)
        message = refused(server)
        assert re.search("changed|sha256|manifest|rankloop.json|JSON", message), message
        damage.flip_back(path, *place)
    promote(server, server.version("bad"))
    server.admin("POST", "/rollback", json={"reason": "back"})


def test_a_sparse_file_costs_no_memory(server: Running, candidate: Path) -> None:
    damage.sparse(candidate)
    tracemalloc.start()
    try:
        refused(server)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < damage.SPARSE / 100
