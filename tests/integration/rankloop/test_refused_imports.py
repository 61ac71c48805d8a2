"""``rankloop models import`` of a forged file: refused with a reason, nothing registered, nothing left."""

from __future__ import annotations

import random
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from store import deployments, registry
from store.verify import verify
from tests import damage
from tests.integration.rankloop.conftest import Desk

FLIPS = 100
EVERY = {what: how for what, how in (damage.PLAIN | damage.LINKS).items() if how[0] is not damage.sparse}


@pytest.fixture
def folder(desk: Desk, tmp_path: Path) -> Path:
    """A version's directory, unpacked."""
    desk.says("models", "export", "1", tmp_path / "version.tar")
    with tarfile.open(tmp_path / "version.tar") as tar:
        tar.extractall(tmp_path, filter="data")
    damage.writable(tmp_path / "version")
    return tmp_path / "version"


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same checks without a new Python for each."""
    monkeypatch.setattr(registry, "verify_in_fresh_process", verify)


def nothing_came(desk: Desk) -> None:
    db = desk.database()
    with db.read() as tx:
        assert [version.id for version in registry.list_all(tx)] == [0]
        assert deployments.champion(tx).version_id == 0
    db.dispose()
    assert not [path for path in desk.settings.models_dir.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("what", EVERY)
def test_a_forged_version_is_refused(empty: Desk, folder: Path, tmp_path: Path, what: str) -> None:
    """Its manifest is right wherever it can be: whoever forged it hashed the damage too."""
    hurt, reason = EVERY[what]
    hurt(folder)
    if what in damage.PLAIN:
        damage.rehash(folder)
    file = tmp_path / "forged.tar"
    with tarfile.open(file, "w") as tar:
        tar.add(folder, "version")
    assert re.search(reason, empty.refuses("models", "import", file)), what
    nothing_came(empty)


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_SPARSE])
def test_a_header_that_promises_10_gb_fills_no_disk(empty: Desk, folder: Path, tmp_path: Path, kind: bytes) -> None:
    file = tmp_path / "sparse.tar"
    with tarfile.open(file, "w") as tar:
        for path in sorted(folder.iterdir()):
            if path.name != damage.WEIGHTS:
                tar.add(path, f"version/{path.name}")
        info = tarfile.TarInfo(f"version/{damage.WEIGHTS}")
        info.type, info.size = kind, damage.SPARSE
        tar.addfile(info)  # the header alone: what it promises never comes
    used = shutil.disk_usage(tmp_path).used
    assert re.search("not a plain file|can't be unpacked", empty.refuses("models", "import", file))
    assert shutil.disk_usage(tmp_path).used - used < damage.SPARSE / 10
    nothing_came(empty)


def test_any_flipped_bit_is_refused_or_changes_nothing(desk: Desk, empty: Desk, folder: Path, tmp_path: Path) -> None:
    """Some bits of an archive mean nothing: then the model that comes out is the one that went in."""
    source = tmp_path / "version.tar"
    empty.says("models", "import", source)
    rng = random.Random(6)
    same = 0
    for _ in range(FLIPS):
        place = damage.flip(source, rng)
        said = empty.refuses("models", "import", source)
        same += "already, as version 1" in said
        damage.flip_back(source, *place)
    assert same < FLIPS / 2
    db = empty.database()
    with db.read() as tx:
        assert [version.id for version in registry.list_all(tx)] == [1, 0]
        assert deployments.champion(tx).version_id == 0
    db.dispose()
