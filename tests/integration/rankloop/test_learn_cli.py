"""Pairs and golden questions from files, and ``rankloop train`` on them: a whole job, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from store import deployments, golden, jobs, registry
from store.settings import process_environment
from tests.integration.rankloop.conftest import Desk

THINGS = ("file", "user", "token", "query", "table", "model", "path", "config")
VERBS = ("read", "write", "delete", "find", "sort", "update")


def pairs_file(folder: Path) -> Path:
    """Each question with its function, and with another one."""
    rows = []
    for thing in THINGS:
        for number, verb in enumerate(VERBS):
            for name, label in ((verb, 1), (VERBS[number - 1], 0)):
                text = f"def {name}_{thing}({thing}):\n    return {thing}.{name}()"
                rows.append({"sentence_0": f"how to {verb} a {thing}", "sentence_1": text, "label": label})
    file = folder / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_imported_pairs_train_a_version_and_the_output_is_tidy(empty: Desk, tmp_path: Path) -> None:
    file = pairs_file(tmp_path)
    shown = empty.says("pairs", "import", file)
    assert f"{2 * len(THINGS) * len(VERBS)} pairs imported" in shown
    command = shown.splitlines()[-1].split()
    assert command[:-1] == ["rankloop", "train", "--recipe", "seed", "--pairs"]
    assert "imported before" in empty.says("pairs", "import", file)

    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=process_environment({**empty.environment, "RANKLOOP_BASE": str(empty.models.base)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(version 2)" in done.stdout, done.stdout
    for noise in ("it/s", "Loading", "Map:", "MISSING", "Warning"):
        assert noise not in done.stdout + done.stderr, done.stdout + done.stderr
    assert not done.stderr.strip()

    db = empty.database()
    with db.read() as tx:
        version = registry.get(tx, 2)
        assert version.base == str(empty.models.base)
        assert deployments.champion(tx).version_id == 1, "pairs alone prove nothing: the base goes on serving"
    db.dispose()
    card = (empty.settings.models_dir / str(version.path) / "README.md").read_text()
    assert "WeightedBinaryCrossEntropyLoss" in card


def test_an_unknown_batch_is_named(empty: Desk) -> None:
    assert "no imported pairs with batch 'nothing'" in empty.refuses("train", "--recipe", "seed", "--pairs", "nothing")


def test_an_unknown_snapshot_is_named_before_anything_runs(empty: Desk) -> None:
    assert "no snapshot 00000000" in empty.refuses("train", "--snapshot", "0" * 64)
    assert "names no snapshot" in empty.refuses("train", "--snapshot", "latest")
    db = empty.database()
    with db.read() as tx:
        assert jobs.list_all(tx) == []
    db.dispose()


def test_golden_questions_come_from_jsonl_and_csv(empty: Desk, tmp_path: Path) -> None:
    lines = tmp_path / "golden.jsonl"
    lines.write_text(json.dumps({"query": "where is login", "expected": ["auth/login.py", 7], "repo": "shop"}) + "\n")
    table = tmp_path / "golden.csv"
    table.write_text("query,expected\nwhere is the cache,cache.py; other.py\n")
    for file in (lines, table, lines):
        assert "1 golden questions imported" in empty.says("golden", "import", file)
    db = empty.database()
    with db.read() as tx:
        found = {(one.query, one.repo, one.expected) for one in golden.list_all(tx)}
        assert len(golden.list_all(tx)) == 2
    db.dispose()
    assert found == {
        ("where is login", "shop", ("auth/login.py", 7)),
        ("where is the cache", None, ("cache.py", "other.py")),
    }
    lines.write_text('{"query": "where"}\n')
    assert "line 1" in empty.refuses("golden", "import", lines)
