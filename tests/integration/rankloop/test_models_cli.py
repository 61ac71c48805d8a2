"""``rankloop models``: listed, compared, promoted against the gate only with force, rolled back, verified, moved."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import CrossEncoder
from torch.nn import Identity

from store import deployments, evaluations, manifest, registry
from store.evaluations import EvalRow
from store.loading import load_version
from store.types import Version
from tests.integration.rankloop.conftest import Desk


def champion(desk: Desk) -> int:
    db = desk.database()
    with db.read() as tx:
        found = deployments.champion(tx).version_id
    db.dispose()
    return found


def version(desk: Desk, number: int) -> Version:
    db = desk.database()
    with db.read() as tx:
        found = registry.get(tx, number)
    db.dispose()
    return found


def test_versions_are_listed_shown_and_found(desk: Desk) -> None:
    lines = desk.says("models", "list").splitlines()
    assert [line for line in lines if "first-stage" in line and "champion" in line]
    assert [line for line in lines if "unproven" in line and "not_proven" in line]
    assert "1 × rerank" in desk.says("models", "show", "1")
    path = Path(desk.says("models", "path", "1").strip())
    assert CrossEncoder(str(path), device="cpu").num_labels == 1
    assert "no directory" in desk.refuses("models", "path", "0")
    assert "no version 9" in desk.refuses("models", "show", "9")


def test_promotion_against_the_gate_needs_force_and_a_rollback_goes_back(desk: Desk) -> None:
    assert "--force" in desk.refuses("models", "promote", "1", "--reason", "we like it")
    assert champion(desk) == 0
    desk.says("models", "promote", "1", "--reason", "we like it", "--force")
    assert champion(desk) == 1
    assert "already" in desk.refuses("models", "promote", "1", "--reason", "again", "--force")
    assert "Automatic promotion is paused" in desk.says("models", "rollback", "--reason", "it was worse")
    assert champion(desk) == 0
    assert "nothing to roll back to" in desk.refuses("models", "rollback", "--reason", "further back")
    desk.says("models", "rollback", "--reason", "it was better after all", "--to", "1")
    db = desk.database()
    with db.read() as tx:
        ledger = deployments.ledger(tx)
        assert not deployments.champion(tx).auto_promote
    db.dispose()
    moves = [(entry.action, entry.from_version, entry.to_version, entry.forced) for entry in ledger]
    assert moves == [
        ("rollback", 0, 1, False),
        ("rollback", 1, 0, False),
        ("promote", 0, 1, True),
        ("initial", None, 0, False),
    ]
    assert ledger[2].reason == "we like it"


def test_compare_counts_wins_on_common_questions(desk: Desk) -> None:
    assert "no common question" in desk.refuses("models", "compare", "0", "1")
    db = desk.database()
    scores = {0: (0.5, 0.25, 1.0), 1: (1.0, 0.25, 0.75)}
    with db.write() as tx:
        for number, values in scores.items():
            rows = [
                EvalRow("challenger", "held_out", group, f"question {group}", {"ndcg@10": value}, ())
                for group, value in enumerate(values)
            ]
            evaluations.save(tx, number, rows)
    db.dispose()
    (line,) = [line for line in desk.says("models", "compare", "0", "1").splitlines() if "ndcg@10" in line]
    before, after = (sum(scores[number]) / 3 for number in (0, 1))
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells == ["ndcg@10", f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}", "1", "1", "1"]


def test_verify_finds_a_damaged_version(desk: Desk) -> None:
    assert desk.says("models", "verify").count("sound") == 2
    path = version(desk, 1).path
    assert path is not None
    card = desk.settings.models_dir / path / "README.md"
    card.chmod(0o644)
    card.write_text(card.read_text() + "changed\n")
    assert "README.md" in desk.refuses("models", "verify", "1")
    assert "README.md" in desk.refuses("models", "promote", "1", "--reason", "damaged", "--force")
    assert "sound" in desk.says("models", "verify", "0")


def test_a_version_moves_to_another_machine_byte_by_byte(desk: Desk, empty: Desk, tmp_path: Path) -> None:
    file = tmp_path / "unproven.tar"
    desk.says("models", "export", "1", file)
    assert "exists" in desk.refuses("models", "export", "1", file)
    assert "nothing to export" in desk.refuses("models", "export", "0", tmp_path / "none.tar")

    shown = empty.says("models", "import", file)
    assert "version 1" in shown
    assert "said not_proven" in shown
    assert champion(empty) == 0
    there, here = version(desk, 1), version(empty, 1)
    assert (here.name, here.base, here.blend) == (there.name, there.base, there.blend)
    assert here.decision is None
    assert here.parent_id is None
    assert here.path == there.path
    pairs = [("read a file", "def read(path): ...")]
    loaded = load_version(here, empty.settings.models_dir)
    assert loaded.scorer is not None
    plain = CrossEncoder(str(empty.settings.models_dir / str(here.path)), device="cpu")
    expected = plain.predict(pairs, activation_fn=Identity())
    np.testing.assert_allclose(loaded.scorer.score_pairs(pairs), expected, atol=1e-4)
    assert "--force" in empty.refuses("models", "promote", "1", "--reason", "it came from afar")
    assert "already, as version 1" in empty.refuses("models", "import", file)
    empty.says("models", "promote", "1", "--reason", "measured here", "--force")
    assert champion(empty) == 1


Change = Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]


def rewritten(source: Path, target: Path, name: str, change: Change) -> Path:
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            content = old.extractfile(member)
            assert content is not None
            kept = member, content.read()
            info, data = change(*kept) if member.name == f"version/{name}" else kept
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    return target


def renamed(name: str) -> Change:
    def change(info: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        info.name = name
        return info, data

    return change


def typed(kind: bytes, link: str = "") -> Change:
    def change(info: tarfile.TarInfo, _data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        info.type, info.linkname = kind, link
        return info, b""

    return change


def appended(info: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return info, data + b"\n"


CHANGES = {
    "a path upwards": (renamed("version/../../evil.json"), "not a path below"),
    "an absolute path": (renamed("/tmp/evil.json"), "not a path below"),
    "another folder": (renamed("elsewhere/evil.json"), "not a path below"),
    "a pickle": (renamed("version/pytorch_model.bin"), "of this kind"),
    "a symbolic link": (typed(tarfile.SYMTYPE, "/etc/passwd"), "not a plain file"),
    "a hard link": (typed(tarfile.LNKTYPE, "version/config.json"), "not a plain file"),
    "a device": (typed(tarfile.CHRTYPE), "not a plain file"),
    "a pipe": (typed(tarfile.FIFOTYPE), "not a plain file"),
    "a changed file": (appended, "README.md"),
    "a name used twice": (renamed("version/config.json"), "twice"),
}


@pytest.fixture
def exported(desk: Desk, tmp_path: Path) -> Path:
    desk.says("models", "export", "1", tmp_path / "unproven.tar")
    return tmp_path / "unproven.tar"


def test_an_import_refuses_what_is_unsafe_or_changed(empty: Desk, exported: Path, tmp_path: Path) -> None:
    for what, (change, reason) in CHANGES.items():
        file = rewritten(exported, tmp_path / "bad.tar", "README.md", change)
        assert reason in empty.refuses("models", "import", file), what
    truncated = tmp_path / "short.tar"
    truncated.write_bytes(exported.read_bytes()[:20_000])
    empty.refuses("models", "import", truncated)
    assert "can't be unpacked" in empty.refuses("models", "import", tmp_path / "nothing.tar")
    assert not [path for path in empty.settings.models_dir.rglob("*") if path.is_file()]
    assert not Path("/tmp/evil.json").exists()


NONSENSE: tuple[dict[str, object], ...] = (
    {"blend": {"dense": "inf", "lexical": 0, "rerank": 1}},
    {"metrics": {"evidence": {"held_out": 1}}},
    {"name": "\ud800"},
)


@pytest.mark.parametrize("change", NONSENSE)
def test_an_import_refuses_a_lineage_of_nonsense(
    desk: Desk, empty: Desk, exported: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    """The manifest is right: whoever made the file hashed the nonsense too."""
    path = version(desk, 1).path
    assert path is not None
    lineage = manifest.lineage(desk.settings.models_dir / path) | change
    raw = json.dumps(lineage).encode()
    inner = rewritten(exported, tmp_path / "inner.tar", "rankloop.json", lambda info, _data: (info, raw))
    folder = tmp_path / "version"
    with tarfile.open(inner) as tar:
        tar.extractall(tmp_path, filter="data")
    known = manifest.read(folder)
    manifest.write(folder, max_length=known.max_length, probes=known.probes)
    file = tmp_path / "nonsense.tar"
    with tarfile.open(file, "w") as tar:
        tar.add(folder, "version")
    assert "rankloop.json" in empty.refuses("models", "import", file)
